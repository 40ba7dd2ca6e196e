/**
 * What forecasts on the bundled suites were off by, and the weights with which they were so by least. Found by
 * `npm run forecast-fit`, which prints them anew; docs/forecast.md says what they are worth.
 */
export const FIT = {
  /** Of the clues of a sample, in their order. */
  weights: [1.331, 0.984, 0.325],
  /** By how much the truth is the middle times: in 1 of 10 less than `low`, in half more than `middle`, in 1 of 10 more than `high`. */
  off: {
    states: { low: 0.274, middle: 0.838, high: 6.447 },
    seconds: { low: 0.046, middle: 0.241, high: 1.107 },
  },
} as const;
