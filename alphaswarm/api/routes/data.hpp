#pragma once

#include "alphaswarm/api/routes/context.hpp"

namespace alphaswarm::api {

// POST /data/ingest {path (file or folder on the server), format? = csv, glob? = *.csv, column_map?
//                    (field → the file's column), tz? = UTC, overwrite? = false, symbol?,
//                    exchange?, interval?} → 202 TaskAccepted; 422; 503 without a worker.
// GET /data → [{vt_symbol, interval, count, first, last}], by symbol.
// GET /data/{vt_symbol}/bars?start=&end=&interval=1d&limit=5000 → {vt_symbol, count, bars:
//                    [{timestamp, open, high, low, close, volume, adjusted_close}]}, by time; with
//                    more than `limit` in the range, the latest. start inclusive, end exclusive;
//                    dates or RFC 3339. 404 if there are no bars of that symbol at all; 422.
void add_data_routes(RouteTable& table, const Context& context);

}  // namespace alphaswarm::api
