import { IconButton } from "@/kit/basics";
import { IconX } from "@tabler/icons-react";

/** How the image is shown; its labels are not changed by it. 1 is as it is. */
export type Adjustment = { brightness: number; contrast: number; gamma: number };
export const AS_IT_IS: Adjustment = { brightness: 1, contrast: 1, gamma: 1 };

const RANGES = { brightness: [0.2, 3], contrast: [0.2, 3], gamma: [0.3, 3] } as const;

/** The style that shows an image so; nothing where it is shown as it is, because filters cost time in each frame. */
export function filterOf({ brightness, contrast, gamma }: Adjustment): string | undefined {
  const parts = [brightness === 1 ? "" : `brightness(${brightness})`, contrast === 1 ? "" : `contrast(${contrast})`, gamma === 1 ? "" : "url(#work-gamma)"].filter(Boolean);
  return parts.length ? parts.join(" ") : undefined;
}

/** The filter that CSS has no function for. */
export function GammaFilter({ gamma }: { gamma: number }) {
  const curve = { type: "gamma", amplitude: 1, exponent: 1 / gamma, offset: 0 } as const;
  return gamma === 1 ? null : (
    <svg width="0" height="0" aria-hidden="true" style={{ position: "absolute" }}>
      <filter id="work-gamma" colorInterpolationFilters="sRGB"><feComponentTransfer><feFuncR {...curve} /><feFuncG {...curve} /><feFuncB {...curve} /></feComponentTransfer></filter>
    </svg>
  );
}

export function Adjust({ value, onChange, onClose }: { value: Adjustment; onChange: (next: Adjustment) => void; onClose: () => void }) {
  return (
    <div className="adjust floating" role="group" aria-label="Brightness, contrast and gamma">
      <header><h2>Image</h2><IconButton className="small" label="Close" onClick={onClose}><IconX size={13} /></IconButton></header>
      {(Object.keys(RANGES) as (keyof Adjustment)[]).map((name) => (
        <label key={name}>
          <span>{name}</span>
          <input type="range" min={RANGES[name][0]} max={RANGES[name][1]} step={0.05} value={value[name]} onChange={(event) => onChange({ ...value, [name]: Number(event.target.value) })} />
          <output className="num">{Math.round(value[name] * 100)} %</output>
        </label>
      ))}
      <p className="dim">Only how it is shown. J resets.</p>
    </div>
  );
}
