#include "alphaswarm/tasks/canvas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <utility>

#include "alphaswarm/tasks/json_fields.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using detail::text_at;

constexpr double kNanosPerSecond = 1e9;

const json::array* list_at(const json::object& parent, std::string_view name) {
  const json::value* value = parent.if_contains(name);
  return value == nullptr ? nullptr : value->if_array();
}

const json::object* object_at(const json::object& parent, std::string_view name) {
  const json::value* value = parent.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

std::optional<double> number_at(const json::object& parent, std::string_view name) {
  const json::value* value = parent.if_contains(name);
  return value != nullptr && value->is_number() ? std::optional(value->to_number<double>())
                                                : std::nullopt;
}

bool flag_at(const json::object& parent, std::string_view name) {
  const json::value* value = parent.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

// Empty lists and null count as nothing.
bool has(const json::object& parent, std::string_view name) {
  const json::value* value = parent.if_contains(name);
  if (value == nullptr || value->is_null()) return false;
  const json::array* list = value->if_array();
  return list == nullptr || !list->empty();
}

// `link` may be one signature or a list.
json::value as_list(const json::value& value) {
  return value.is_array() || value.is_null() ? value : json::value(json::array{value});
}

std::unexpected<Error> refuse(std::string sentence) {
  return fail(ErrorCode::unimplemented, std::move(sentence));
}

// Seconds from now, or a time.
Result<std::optional<UnixNanos>> time_at(const json::object& options, std::string_view name) {
  if (const auto seconds = number_at(options, name)) {
    constexpr double kLongest = 1e9;  // thirty years; farther is never
    const double bounded = std::clamp(*seconds, -kLongest, kLongest);
    return UnixNanos{now_unix().value + static_cast<std::int64_t>(bounded * kNanosPerSecond)};
  }
  std::string text = text_at(options, name);
  if (text.empty()) return std::nullopt;
  const auto time = from_python_time(std::move(text));
  if (!time) return std::unexpected(time.error());
  return *time;
}

Result<void> take_times(const json::object& options, TaskMessage& message) {
  const auto expires = time_at(options, "expires");
  const auto eta = time_at(options, "eta");
  const auto countdown = time_at(options, "countdown");
  for (const auto* each : {&expires, &eta, &countdown}) {
    if (!*each) return std::unexpected(each->error());
  }
  message.expires = *expires;
  message.eta = *countdown ? *countdown : *eta;
  message.time_limit_seconds = number_at(options, "time_limit");
  message.soft_time_limit_seconds = number_at(options, "soft_time_limit");
  return {};
}

// Of a task without an id of its own: always the same for its place after that task, so that who
// sends it again after a crash sends the same task. Version 5 (RFC 9562 §5.5).
std::string id_after(const TaskMessage& before, std::string_view outcome, std::size_t place) {
  constexpr boost::uuids::uuid kNameSpace = {{0x51, 0x6e, 0x0c, 0x9a, 0x3d, 0x27, 0x5b, 0x84, 0xa1,
                                              0x0f, 0x7c, 0xe2, 0x48, 0x95, 0x16, 0xdb}};
  const std::string name = fmt::format("{}/{}/{}", before.id, outcome, place);
  return boost::uuids::to_string(boost::uuids::name_generator_sha1(kNameSpace)(name));
}

// Takes signatures apart into the messages to send.
class Unfolding {
 public:
  // `argument` null: none is given on. `outcome`: what they follow.
  Unfolding(const TaskMessage& before, const json::value* argument, std::string_view outcome)
      : before_(before), argument_(argument), outcome_(outcome) {}

  // `chain`: what is to follow that task, reversed.
  Result<void> add(const json::value& value, json::array chain) {
    const json::object* signature = value.if_object();
    const std::string task = signature == nullptr ? std::string() : text_at(*signature, "task");
    if (task.empty()) {
      return fail(ErrorCode::invalid_argument,
                  "what is to follow this task cannot be read: it is no signature");
    }
    if (task == "celery.chord") {
      return refuse("a chord is to follow this task; chords need a Python worker");
    }
    if (task == "celery.chain" || task == "celery.group") {
      return add_several(*signature, task == "celery.chain", std::move(chain));
    }
    return add_one(*signature, task, std::move(chain));
  }

  std::vector<TaskMessage> take() { return std::move(messages_); }

 private:
  Result<void> add_several(const json::object& signature, bool in_turn, json::array chain) {
    const json::object* kwargs = object_at(signature, "kwargs");
    const json::array* tasks = kwargs == nullptr ? nullptr : list_at(*kwargs, "tasks");
    const json::object* options = object_at(signature, "options");
    if (tasks == nullptr || tasks->empty()) {
      return fail(ErrorCode::invalid_argument, "a chain or group that is to follow has no tasks");
    }
    if (options != nullptr && (has(*options, "link") || has(*options, "link_error"))) {
      return refuse("a chain or group with a link of its own is to follow this task");
    }
    if (in_turn) {
      for (std::size_t i = tasks->size() - 1; i > 0; --i) chain.push_back((*tasks)[i]);
      return add(tasks->front(), std::move(chain));
    }
    if (!chain.empty()) return refuse("a task is to follow a whole group: that is a chord");
    for (const json::value& each : *tasks) {
      if (auto done = add(each, {}); !done) return done;
    }
    return {};
  }

  Result<void> add_one(const json::object& signature, const std::string& task, json::array chain) {
    TaskMessage message;
    message.task = task;
    if (const json::array* args = list_at(signature, "args")) message.args = *args;
    if (const json::object* kwargs = object_at(signature, "kwargs")) message.kwargs = *kwargs;
    if (argument_ != nullptr && !flag_at(signature, "immutable")) {
      message.args.insert(message.args.begin(), *argument_);
    }
    message.parent_id = before_.id;
    message.root_id = before_.root_id.empty() ? before_.id : before_.root_id;
    message.ignore_result = std::nullopt;
    const json::object none;
    const json::object* given = object_at(signature, "options");
    const json::object& options = given == nullptr ? none : *given;
    message.id = text_at(options, "task_id");
    if (message.id.empty()) message.id = id_after(before_, outcome_, messages_.size());
    if (std::string queue = text_at(options, "queue"); !queue.empty()) {
      message.queue = std::move(queue);
    } else if (std::string key = text_at(options, "routing_key"); !key.empty()) {
      message.queue = std::move(key);
    }
    message.priority =
        static_cast<int>(std::clamp(number_at(options, "priority").value_or(0), 0.0, 9.0));
    message.reply_to = text_at(options, "reply_to");
    if (options.contains("ignore_result") && options.at("ignore_result").is_bool()) {
      message.ignore_result = options.at("ignore_result").get_bool();
    }
    message.group = text_at(options, "group_id");
    if (const auto place = number_at(options, "group_index")) {
      message.group_index = static_cast<std::int64_t>(std::clamp(*place, 0.0, 1e9));
    }
    if (has(options, "link")) message.embed["callbacks"] = as_list(options.at("link"));
    if (has(options, "link_error")) message.embed["errbacks"] = as_list(options.at("link_error"));
    if (has(options, "chord")) message.embed["chord"] = options.at("chord");
    if (!chain.empty()) message.embed["chain"] = std::move(chain);
    if (auto done = take_times(options, message); !done) return done;
    messages_.push_back(std::move(message));
    return {};
  }

  const TaskMessage& before_;
  const json::value* argument_;
  const std::string_view outcome_;
  std::vector<TaskMessage> messages_;
};

Result<void> add_each(Unfolding& unfolding, const json::object& embed, std::string_view name) {
  if (!has(embed, name)) return {};
  const json::array* list = list_at(embed, name);
  if (list == nullptr) return fail(ErrorCode::invalid_argument, fmt::format("{} is no list", name));
  for (const json::value& each : *list) {
    if (auto done = unfolding.add(each, {}); !done) return done;
  }
  return {};
}

}  // namespace

Result<void> check_canvas(const TaskMessage& message) {
  if (has(message.embed, "chord")) {
    return refuse("this task is part of a chord; chords need a Python worker");
  }
  const auto followers = after_success(message, nullptr);
  return followers ? Result<void>() : std::unexpected(followers.error());
}

Result<std::vector<TaskMessage>> after_success(const TaskMessage& message,
                                               const json::value& result) {
  Unfolding unfolding(message, &result, "success");
  if (auto done = add_each(unfolding, message.embed, "callbacks"); !done) {
    return std::unexpected(done.error());
  }
  if (has(message.embed, "chain")) {
    const json::array* chain = list_at(message.embed, "chain");
    if (chain == nullptr) return fail(ErrorCode::invalid_argument, "chain is no list");
    json::array left(chain->begin(), chain->end() - 1);
    if (auto done = unfolding.add(chain->back(), std::move(left)); !done) {
      return std::unexpected(done.error());
    }
  }
  return unfolding.take();
}

Result<std::vector<TaskMessage>> after_failure(const TaskMessage& message) {
  const json::value id(message.id);
  Unfolding unfolding(message, &id, "failure");
  if (auto done = add_each(unfolding, message.embed, "errbacks"); !done) {
    return std::unexpected(done.error());
  }
  return unfolding.take();
}

std::vector<std::string> abandoned_by_failure(const TaskMessage& message) {
  std::vector<std::string> ids;
  const json::array* chain = list_at(message.embed, "chain");
  if (chain == nullptr) return ids;
  for (const json::value& each : *chain) {
    const json::object* signature = each.if_object();
    const json::object* options = signature == nullptr ? nullptr : object_at(*signature, "options");
    std::string id = options == nullptr ? std::string() : text_at(*options, "task_id");
    if (!id.empty()) ids.push_back(std::move(id));
  }
  return ids;
}

}  // namespace alphaswarm::tasks
