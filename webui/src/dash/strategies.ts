// The strategies and what can be set on them, as the service understands them (it checks again, and its
// sentence is shown where it disagrees).
export interface Setting {
  key: string;
  label: string;
  initial: number;
  about: string;
}

export interface StrategyForm {
  name: string;
  title: string;
  about: string;
  settings: Setting[];
}

const sizing: Setting = {
  key: "position_pct",
  label: "Position size",
  initial: 0.1,
  about: "fraction of equity for one position",
};

export const kStrategies: StrategyForm[] = [
  {
    name: "mean_reversion",
    title: "Mean reversion",
    about: "Buys when the close is far below its mean, leaves when it is back.",
    settings: [
      { key: "lookback", label: "Lookback", initial: 20, about: "bars of the mean" },
      {
        key: "z_threshold",
        label: "Threshold",
        initial: 2,
        about: "standard deviations below the mean",
      },
      sizing,
    ],
  },
  {
    name: "sma_cross",
    title: "Moving averages cross",
    about: "Holds while the fast average is above the slow one.",
    settings: [
      { key: "fast", label: "Fast", initial: 10, about: "bars" },
      { key: "slow", label: "Slow", initial: 20, about: "bars" },
      sizing,
    ],
  },
  {
    name: "ema_cross",
    title: "Exponential averages cross",
    about: "Like the moving averages, with newer prices weighing more.",
    settings: [
      { key: "fast", label: "Fast", initial: 10, about: "bars" },
      { key: "slow", label: "Slow", initial: 20, about: "bars" },
      sizing,
    ],
  },
  {
    name: "momentum",
    title: "Momentum",
    about: "Holds what rose most over the lookback; decides again at each rebalance.",
    settings: [
      { key: "lookback", label: "Lookback", initial: 90, about: "bars" },
      { key: "quantile", label: "Quantile", initial: 0.3, about: "share of the universe to hold" },
      { key: "rebalance", label: "Rebalance", initial: 21, about: "bars between decisions" },
      sizing,
    ],
  },
  {
    name: "buy_and_hold",
    title: "Buy and hold",
    about: "Buys at the first bar and never sells.",
    settings: [sizing],
  },
];
