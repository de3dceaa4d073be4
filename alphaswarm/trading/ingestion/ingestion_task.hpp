#pragma once

#include <string_view>

#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/tasks/worker.hpp"

namespace alphaswarm::trading {

inline constexpr std::string_view kIngestTask =
    "alphaswarm.tasks.ingestion_tasks.load_local_directory";

// Registers the task load_local_directory(source_dir, format="csv", glob="*.csv", column_map={},
// tz="UTC", overwrite=false; also symbol, exchange, interval). `source_dir` is a folder or one
// file. It tells its progress file by file and gives the report of to_json(reports); a file that
// cannot be used is reported and the others go on, unless none can: then the task fails. `database`
// must outlive the worker.
void register_ingestion_task(tasks::Worker& worker, persistence::Database& database);

}  // namespace alphaswarm::trading
