import Markdown, { type Components } from "react-markdown";

/** Links lead away from the app, without telling where from; an address that could run code is dropped by the renderer. */
const COMPONENTS: Components = {
  a: ({ href, children }) => href ? <a href={href} target="_blank" rel="noopener noreferrer nofollow">{children}</a> : <>{children}</>,
  h1: ({ children }) => <h2>{children}</h2>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
};

/** Markdown that a person wrote. HTML in it is shown as text; images are left out, because they would load from elsewhere. */
export function SafeMarkdown({ text }: { text: string }) {
  return <div className="markdown"><Markdown components={COMPONENTS} disallowedElements={["img"]}>{text}</Markdown></div>;
}
