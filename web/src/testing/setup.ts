import { afterEach, beforeEach, vi } from "vitest";
import { expectPageInOrder } from "@/testing/pages";
import { expectNothingUnanswered, resetServer } from "@/testing/server";

/** Everything measures 1200 x 800 px: happy-dom measures nothing, and lists and grids draw only what has a size. */
const [WIDTH, HEIGHT, ROW] = [1200, 800, 67];

class MeasuredOnce implements ResizeObserver {
  constructor(private readonly tell: ResizeObserverCallback) {}

  observe(target: Element) {
    const contentRect = new DOMRect(0, 0, WIDTH, HEIGHT);
    queueMicrotask(() => this.tell([{ target, contentRect, borderBoxSize: [], contentBoxSize: [], devicePixelContentBoxSize: [] }], this));
  }
  unobserve() {}
  disconnect() {}
}

/** Gives elements a size, on the prototype that has it (the window's `HTMLElement` is a copy). */
function measure(property: string, size: (element: Element) => number): void {
  let prototype: object = document.createElement("div");
  while (!Object.hasOwn(prototype, property)) prototype = Object.getPrototypeOf(prototype) as object;
  Object.defineProperty(prototype, property, { configurable: true, get(this: Element) { return size(this); } });
}

const height = (element: Element) => (element.classList.contains("virtual-row") ? ROW : HEIGHT);

beforeEach(() => {
  resetServer();
  vi.stubGlobal("ResizeObserver", MeasuredOnce);
  for (const property of ["offsetWidth", "clientWidth"]) measure(property, () => WIDTH);
  for (const property of ["offsetHeight", "clientHeight"]) measure(property, height);
});

afterEach(() => {
  expectPageInOrder();
  expectNothingUnanswered();
  vi.unstubAllGlobals();
});
