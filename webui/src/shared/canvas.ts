// Canvas that is sharp on every screen and redraws when its size, the theme or its data change.
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTheme } from "./theme";

export interface Size {
  width: number;
  height: number;
}

/** The size of an element, in CSS pixels; 0 × 0 until it is laid out. */
export function useSize<E extends HTMLElement>(): [React.RefObject<E | null>, Size] {
  const ref = useRef<E>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = element;
      setSize((old) => (old.width === width && old.height === height ? old : { width, height }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, size];
}

type Draw = (context: CanvasRenderingContext2D, size: Size) => void;

/** Calls `draw` before the next paint whenever `size`, the theme or one of `dependencies` changes. */
export function useCanvas(size: Size, draw: Draw, dependencies: readonly unknown[]) {
  const ref = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const [fontsReady, setFontsReady] = useState(false);
  useEffect(() => {
    let alive = true;
    document.fonts.ready.then(() => alive && setFontsReady(true));
    return () => {
      alive = false;
    };
  }, []);
  // The caller names what `draw` reads
  useLayoutEffect(() => {
    const canvas = ref.current;
    if (!canvas || size.width <= 0 || size.height <= 0) return;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(size.width * ratio);
    const height = Math.round(size.height * ratio);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = canvas.getContext("2d")!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    draw(context, size);
  }, [size.width, size.height, theme, fontsReady, ...dependencies]);
  return ref;
}

/** Rounded bar that stays visible however short it is. */
export function fillBar(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
) {
  const radius = Math.min(2.5, width / 2);
  context.beginPath();
  context.roundRect(x, y, Math.max(width, 1.5), height, radius);
  context.fill();
}

/** Fractions of an axis that read well: 1, 2 or 5 times a power of ten, about `count` of them. */
export function niceStep(span: number, count: number): number {
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const lead = raw / power;
  return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}
