#pragma once

#include <string>

namespace alphaswarm::tasks {

// This machine's name, as Celery puts it behind the @ of a worker.
[[nodiscard]] const std::string& host_name();

}  // namespace alphaswarm::tasks
