#include "alphaswarm/net/detail/redis_codec.hpp"

#include <hiredis/hiredis.h>

#include <array>
#include <vector>

namespace alphaswarm::net::detail {

void append_redis_command(std::string& out, const RedisCommand& command) {
  std::vector<const char*> parts;
  std::vector<std::size_t> sizes;
  parts.reserve(command.size());
  sizes.reserve(command.size());
  for (const std::string& part : command) {
    parts.push_back(part.data());
    sizes.push_back(part.size());
  }
  char* text = nullptr;
  const int size =
      ::redisFormatCommandArgv(&text, static_cast<int>(parts.size()), parts.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  out.append(text, static_cast<std::size_t>(size));
  ::redisFreeCommand(text);
}

// What hiredis calls to build a reply. A part of an array is written into its place there; only
// the outermost reply is an object of its own. Null tells hiredis that there is no room.
struct RedisReaderCalls {
  static RedisReply* place(const redisReadTask* task, RedisReply::Type type) {
    RedisReply* reply = nullptr;
    if (task->parent != nullptr) {
      auto* const parent = static_cast<RedisReply*>(task->parent->obj);
      reply = &parent->elements[static_cast<std::size_t>(task->idx)];
    } else {
      reply = new RedisReply();
    }
    reply->type = type;
    return reply;
  }
  static void* make_string(const redisReadTask* task, char* text, std::size_t size) {
    RedisReply::Type type = RedisReply::Type::string;
    if (task->type == REDIS_REPLY_STATUS) type = RedisReply::Type::status;
    if (task->type == REDIS_REPLY_ERROR) type = RedisReply::Type::error;
    RedisReply* const reply = place(task, type);
    reply->text.assign(text, size);
    return reply;
  }
  static void* make_array(const redisReadTask* task, int size) {
    auto& limits = *static_cast<RedisReader::Limits*>(task->privdata);
    const auto count = static_cast<std::size_t>(size);
    if (count > limits.max_elements - limits.elements) return nullptr;
    limits.elements += count;
    RedisReply* const reply = place(task, RedisReply::Type::array);
    reply->elements.resize(count);
    return reply;
  }
  static void* make_integer(const redisReadTask* task, long long value) {
    RedisReply* const reply = place(task, RedisReply::Type::integer);
    reply->integer = value;
    return reply;
  }
  static void* make_nil(const redisReadTask* task) { return place(task, RedisReply::Type::nil); }
  static void destroy(void* reply) { delete static_cast<RedisReply*>(reply); }

  static redisReplyObjectFunctions& functions() {
    static redisReplyObjectFunctions table = {make_string, make_array, make_integer, make_nil,
                                              destroy};
    return table;
  }
};

void RedisReader::Free::operator()(redisReader* reader) const noexcept {
  ::redisReaderFree(reader);
}

RedisReader::RedisReader(std::size_t max_bytes, std::size_t max_elements)
    : max_bytes_(max_bytes),
      limits_{.max_elements = max_elements},
      reader_(::redisReaderCreateWithFunctions(&RedisReaderCalls::functions())) {
  if (reader_ == nullptr) throw std::bad_alloc();
  reader_->privdata = &limits_;
}

RedisReader::~RedisReader() = default;

void RedisReader::feed(std::string_view bytes) {
  unread_ += bytes.size();
  ::redisReaderFeed(reader_.get(), bytes.data(), bytes.size());
}

Result<std::optional<RedisReply>> RedisReader::next() {
  void* made = nullptr;
  if (::redisReaderGetReply(reader_.get(), &made) != REDIS_OK) {
    const bool too_big = reader_->err == REDIS_ERR_OOM;
    return fail(too_big ? ErrorCode::resource_exhausted : ErrorCode::data_loss,
                too_big ? "the reply has too many elements"
                        : std::string("this is not Redis: ") + reader_->errstr);
  }
  if (made == nullptr) {
    if (unread_ > max_bytes_) {
      return fail(ErrorCode::resource_exhausted,
                  "the reply is bigger than " + std::to_string(max_bytes_) + " bytes");
    }
    return std::optional<RedisReply>();
  }
  const std::unique_ptr<RedisReply> owner(static_cast<RedisReply*>(made));
  limits_.elements = 0;
  unread_ = reader_->len - reader_->pos;
  return std::optional<RedisReply>(std::move(*owner));
}

}  // namespace alphaswarm::net::detail
