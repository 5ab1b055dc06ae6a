/** The strategies of `calotype.curate.select`; a test compares the names with those of the server. */
export const STRATEGIES = {
  auto: "the best one for the number of labels and for what is known",
  clusters: "the sample nearest to the centre of each cluster",
  coverage: "cover as much of the data as possible",
  typical: "the most typical sample of each cluster",
  diverse: "spread over the data, outliers left out",
  uncertain: "what a model is unsure about, without repeats; needs predictions",
  disagreement: "what models disagree about; needs predictions of several",
  rare: "classes and conditions with the fewest labels",
  balanced: "the same number for each class",
  random: "every sample with the same chance",
} as const;

export type Strategy = keyof typeof STRATEGIES;

/** The strategies that need predictions of a model. */
export const NEEDS_PREDICTIONS: readonly Strategy[] = ["uncertain", "disagreement"];

export const strategyNames = Object.keys(STRATEGIES) as Strategy[];
