/** What other rooms show of browse: the query over samples. */
export { QueryBar } from "./components/query_bar";
