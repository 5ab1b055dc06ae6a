/** Quarter turns of the view, clockwise in degrees. */
export type Turn = 0 | 90 | 180 | 270;

/** A place of the window of an image (`width` x `height`) in the layers behind it, which are turned about its middle. */
export function unturned(x: number, y: number, width: number, height: number, turn: Turn): { x: number; y: number } {
  if (turn === 90) return { x: y, y: width - x };
  if (turn === 180) return { x: width - x, y: height - y };
  return turn === 270 ? { x: height - y, y: x } : { x, y };
}

/** How layers that fill a window are shown in it once they are turned. */
export function turnStyle(width: number, height: number, turn: Turn): { width?: number; height?: number; inset?: string; transform?: string } {
  if (turn === 0) return {};
  const [w, h] = turn === 180 ? [width, height] : [height, width];
  return { width: w, height: h, inset: "0 auto auto 0", transform: `translate(${(width - w) / 2}px, ${(height - h) / 2}px) rotate(${turn}deg)` };
}
