export { useCurrentRuns } from "./components/current";
