/**
 * Colours of classes: stable by id, distinguishable with red-green colour blindness, visible on photographs.
 * Source: the first eight follow Okabe and Ito (2008), brightened where they drown in dark images; the rest are from
 * Paul Tol's "bright" and "muted" schemes, ordered so that neighbours differ in lightness too.
 */
const PALETTE = [
  "#e69f00", "#56b4e9", "#00c08b", "#f0e442", "#3d8bfd", "#ff7043", "#e78ac3", "#9be15d", "#aa7dff", "#00d5d5",
  "#d4a373", "#ff5c8a", "#88ccee", "#c9b458", "#7ad7a8", "#ffb3a7", "#b39ddb", "#5ec2c2", "#f4c95d", "#c0ca33",
] as const;

/** The colour of a class. */
export function classColour(classId: number): string {
  const at = ((classId % PALETTE.length) + PALETTE.length) % PALETTE.length;
  return PALETTE[at] ?? PALETTE[0];
}

/** The same colour, see-through. */
export function withAlpha(colour: string, alpha: number): string {
  return colour + Math.round(alpha * 255).toString(16).padStart(2, "0");
}
