import { fit, fitBox, kept, zoomAt, type Box, type View } from "@/canvas/geometry";

const MOST = 64;
const MARGIN = 16;

/** Which part of an image is looked at. It stays fitted to its place until someone moves or zooms it. */
export class Camera {
  view: View = { scale: 1, dx: 0, dy: 0 };
  private space = { width: 0, height: 0 };
  private image = { width: 1, height: 1 };
  private isFitted = true;
  /** Asked for before there was a place. */
  private wanted: Box | null = null;

  constructor(private readonly onChange: (view: View) => void) {}

  get isReady(): boolean {
    return this.space.width > 0 && this.space.height > 0;
  }

  setSpace(width: number, height: number): void {
    if (width === this.space.width && height === this.space.height) return;
    const before = this.space;
    this.space = { width, height };
    if (!this.isReady) return;
    if (this.wanted) this.show(this.wanted);
    else if (this.isFitted) this.fit();
    else this.move((width - before.width) / 2, (height - before.height) / 2);
  }

  /** Another image: whole, or one part of it. */
  setImage(width: number, height: number, first: Box | null): void {
    this.image = { width, height };
    this.isFitted = true;
    if (first) this.show(first);
    else if (this.isReady) this.fit();
  }

  fit(): void {
    this.wanted = null;
    this.isFitted = true;
    this.set(this.whole());
  }

  show(box: Box): void {
    this.wanted = this.isReady ? null : box;
    if (this.isReady) this.change(fitBox(box, this.space.width, this.space.height));
  }

  move(dx: number, dy: number): void {
    this.change({ ...this.view, dx: this.view.dx + dx, dy: this.view.dy + dy });
  }

  /** Zoom by a factor, about a place of the screen or the middle. */
  zoom(factor: number, x = this.space.width / 2, y = this.space.height / 2): void {
    this.change(zoomAt(this.view, factor, x, y, this.whole().scale / 2, MOST));
  }

  /** One pixel of the image on one pixel of the screen. */
  actual(ratio: number): void {
    this.zoom(1 / ratio / this.view.scale);
  }

  /** A place of the screen in image pixels. */
  toImage(x: number, y: number): { x: number; y: number } {
    return { x: (x - this.view.dx) / this.view.scale, y: (y - this.view.dy) / this.view.scale };
  }

  /** Look at what another camera of the same image looks at. */
  follow(view: View): void {
    const { scale, dx, dy } = this.view;
    if (view.scale === scale && view.dx === dx && view.dy === dy) return;
    this.isFitted = false;
    this.set(view);
  }

  private whole(): View {
    return fit(this.image.width, this.image.height, this.space.width, this.space.height, MARGIN);
  }

  private change(next: View): void {
    this.isFitted = false;
    this.set(kept(next, this.image.width, this.image.height, this.space.width, this.space.height));
  }

  private set(next: View): void {
    this.view = next;
    this.onChange(next);
  }
}
