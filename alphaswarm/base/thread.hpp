#pragma once

#include <functional>
#include <string>
#include <thread>

namespace alphaswarm {

// Starts a joining thread that shows as `name` (at most 15 bytes) in debuggers and top. All
// threads of the project start here. Signals stay with the main thread: the new one blocks them.
[[nodiscard]] std::jthread start_thread(std::string name,
                                        std::function<void(std::stop_token)> body);

}  // namespace alphaswarm
