import { useState } from "react";
import { Button } from "@/kit/basics";
import { keysOf, useCommands } from "@/kit/commands";
import { FORM_KEYS } from "../../keys";

export type Asked = { text: string; category: string };
type Props = {
  title: string;
  about?: string;
  placeholder: string;
  categories?: readonly string[];
  /** Text may be left out, where a category says enough. */
  isOptional?: boolean;
  action: string;
  onSend: (asked: Asked) => void;
  onClose: () => void;
};

/** A small form over the foot of the image; Enter sends, Escape closes it. */
export function WorkForm({ title, about, placeholder, categories = [], isOptional = false, action, onSend, onClose }: Props) {
  const [text, setText] = useState("");
  const [category, setCategory] = useState(categories[0] ?? "");
  const isReady = isOptional || text.trim() !== "";
  const send = () => isReady && onSend({ text: text.trim(), category });
  useCommands(FORM_KEYS, { "form.send": send });
  return (
    <form
      className="work-form floating" aria-label={title} {...keysOf({ Escape: onClose })}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <h2>{title}{about ? <span className="dim"> {about}</span> : null}</h2>
      <div className="work-form-fields">
        {categories.length ? (
          <select className="field" aria-label="Category" value={category} onChange={(event) => setCategory(event.target.value)}>
            {categories.map((one) => <option key={one} value={one}>{one.replaceAll("-", " ")}</option>)}
          </select>
        ) : null}
        <input className="field" autoFocus aria-label={placeholder} placeholder={placeholder} value={text} maxLength={2000} onChange={(event) => setText(event.target.value)} />
        <Button look="first" className="small" type="submit" command="form.send" disabled={!isReady}>{action}</Button>
        <Button look="quiet" className="small" onClick={onClose}>Cancel</Button>
      </div>
    </form>
  );
}
