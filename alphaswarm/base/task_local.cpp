#include "alphaswarm/base/task_local.hpp"

namespace alphaswarm::detail {

thread_local constinit TaskSlot thread_slot;
thread_local constinit TaskSlot* current_slot = nullptr;

}  // namespace alphaswarm::detail
