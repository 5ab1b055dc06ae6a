import { useEffect, useRef, type ReactNode } from "react";

/** A dialog in the browser's own top layer: it holds the focus, Escape and a click beside it close it. */
export function Dialog({ open, onClose, label, className = "", children }: {
  open: boolean;
  onClose: () => void;
  label: string;
  className?: string;
  children: ReactNode;
}) {
  const place = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = place.current;
    if (!dialog) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog
      ref={place} aria-label={label} className={`floating dialog ${className}`} onClose={onClose}
      onClick={(event) => event.target === place.current && onClose()}
    >
      {open ? children : null}
    </dialog>
  );
}
