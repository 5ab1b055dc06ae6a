import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

/** Imports only go down: app -> rooms -> grid, canvas, kit -> api. Another room is entered by its `api` and `panel` only. */
const ABOVE = {
  rooms: ["^@/app/", "^@/rooms/[^/]+/(?!api$|panel$)"],
  grid: ["^@/app/", "^@/rooms/"],
  canvas: ["^@/app/", "^@/rooms/", "^@/grid/"],
  kit: ["^@/app/", "^@/rooms/", "^@/grid/", "^@/canvas/"],
  api: ["^@/(?!api/)"],
};
const layers = Object.entries(ABOVE).map(([folder, regexes]) => ({
  files: [`src/${folder}/**/*.{ts,tsx}`],
  ignores: ["src/**/*.test.*"],
  rules: {
    "no-restricted-imports": ["error", { patterns: regexes.map((regex) => ({ regex, message: "Imports only go down; see web/README.md." })) }],
  },
}));

export default ts.config(
  { ignores: ["node_modules", "dist", "coverage", "src/api/schema.gen.ts"] },
  js.configs.recommended,
  ...ts.configs.recommended,
  {
    files: ["src/**/*.{ts,tsx}"],
    plugins: { "react-hooks": hooks },
    rules: {
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      "no-undef": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      eqeqeq: "error",
      "no-restricted-syntax": [
        "error",
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Names come from anywhere." },
      ],
      "max-lines": ["error", 250],
    },
  },
  ...layers,
  { files: ["*.js"], languageOptions: { globals: { process: "readonly" } } },
  { files: ["public/*.js"], languageOptions: { globals: { document: "readonly", localStorage: "readonly", matchMedia: "readonly" } } },
);
