#include "alphaswarm/trading/exchange/msgpack.hpp"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace alphaswarm::trading::exchange {
namespace {

namespace json = boost::json;
using namespace std::string_view_literals;

TEST(MsgPack, WhatWasWrittenIsReadBack) {
  const json::value value = json::parse(
      R"([{"T": "b", "o": 1.25, "v": -3, "big": 18446744073709551615, "x": null, "y": true,
           "long": "a text of more than thirty-one bytes", "list": [1, 2]}])");
  EXPECT_EQ(from_msgpack(to_msgpack(value)), value);
}

// What msgpack-python 1.1 makes of {"action": "subscribe", "bars": ["AAPL"]} and of small numbers.
TEST(MsgPack, ReadsWhatOthersWrite) {
  const auto subscribe = from_msgpack(
      "\x82\xa6"
      "action\xa9"
      "subscribe\xa4"
      "bars\x91\xa4"
      "AAPL"sv);
  EXPECT_EQ(subscribe, json::parse(R"({"action": "subscribe", "bars": ["AAPL"]})"));
  EXPECT_EQ(from_msgpack("\x94\x05\xff\xcd\x01\x00\xd1\xff\x00"sv), json::parse("[5,-1,256,-256]"));
}

TEST(MsgPack, ATimeIsATimestamp) {
  const std::string bytes = to_msgpack(json::object{{"t", "1970-01-01T00:00:01.000000002Z"}});
  EXPECT_EQ(bytes,
            "\xdf\x00\x00\x00\x01\xa1t\xc7\x0c\xff\x00\x00\x00\x02"
            "\x00\x00\x00\x00\x00\x00\x00\x01"sv);
}

TEST(MsgPack, NonsenseIsRefused) {
  const std::string deep(100, '\x91');
  for (const std::string_view bytes : {""sv, "\x91"sv, "\xa5"sv, "\xdd\xff\xff\xff\xff"sv, "\xc1"sv,
                                       "\x81\x01\x01"sv, std::string_view(deep), "\x01\x01"sv}) {
    EXPECT_FALSE(from_msgpack(bytes));
  }
}

}  // namespace
}  // namespace alphaswarm::trading::exchange
