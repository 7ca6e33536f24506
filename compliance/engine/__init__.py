"""From a case to a decision: history, binding, the two evaluators, judging again."""
