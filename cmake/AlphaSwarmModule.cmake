# alphaswarm_module(<name> [DEPENDS module…] [LIBS library…] [PRIVATE_LIBS library…])
#
# Makes the static library `alphaswarm_<name>` from every .cpp under the calling folder, and the
# test binary `<name>_test` from every *_test.cpp, registered with ctest under that name.
# DEPENDS are modules (allowed edges: tools/layers.toml); LIBS show in the module's headers,
# PRIVATE_LIBS do not.
function(alphaswarm_flags target)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)
  target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:include>)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -Wno-error)
  endif()
  # Warnings of other people's headers are not ours to mend.
  if(ALPHASWARM_SANITIZE)
    # vptr: the type information of spdlog's shared library is not ours to compare with.
    target_compile_options(${target} PUBLIC
      -fsanitize=${ALPHASWARM_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${ALPHASWARM_SANITIZE})
  endif()
endfunction()

function(alphaswarm_module name)
  cmake_parse_arguments(arg "" "" "DEPENDS;LIBS;PRIVATE_LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  set(library alphaswarm_${name})
  list(TRANSFORM arg_DEPENDS PREPEND alphaswarm_)
  if(NOT sources)  # headers only
    add_library(${library} INTERFACE)
    target_include_directories(${library} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${library} INTERFACE ${arg_DEPENDS} ${arg_LIBS})
    return()
  endif()
  add_library(${library} STATIC ${sources})
  alphaswarm_flags(${library})
  target_link_libraries(${library} PUBLIC ${arg_DEPENDS} ${arg_LIBS} Threads::Threads PRIVATE ${arg_PRIVATE_LIBS})
  if(NOT ALPHASWARM_OTEL)
    target_compile_definitions(${library} PUBLIC ALPHASWARM_OTEL=0)
  endif()
  if(ALPHASWARM_TESTS AND tests)
    alphaswarm_test(${name}_test SOURCES ${tests} DEPENDS ${name} LIBS ${arg_PRIVATE_LIBS})
  endif()
endfunction()

# Child processes and real servers for tests (tests/support); linked to every test binary.
function(alphaswarm_test_servers)
  if(NOT TARGET alphaswarm_test_servers)
    set(support ${CMAKE_SOURCE_DIR}/tests/support)
    add_library(alphaswarm_test_servers STATIC ${support}/process.cpp ${support}/redis.cpp)
    alphaswarm_flags(alphaswarm_test_servers)
    target_link_libraries(alphaswarm_test_servers PUBLIC alphaswarm_base)
  endif()
endfunction()

# alphaswarm_test(<name> SOURCES file… [DEPENDS module…] [LIBS library…] [TIMEOUT seconds])
function(alphaswarm_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;DEPENDS;LIBS" ${ARGN})
  add_executable(${name} ${arg_SOURCES} ${CMAKE_SOURCE_DIR}/tests/support/test_main.cpp)
  alphaswarm_flags(${name})
  list(TRANSFORM arg_DEPENDS PREPEND alphaswarm_)
  alphaswarm_test_servers()
  target_link_libraries(${name} PRIVATE alphaswarm_test_servers ${arg_DEPENDS} ${arg_LIBS} GTest::gtest GTest::gmock)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT}
    ENVIRONMENT "TSAN_OPTIONS=halt_on_error=1 suppressions=${CMAKE_SOURCE_DIR}/tools/tsan.supp;ASAN_OPTIONS=detect_stack_use_after_return=1;UBSAN_OPTIONS=print_stacktrace=1")
endfunction()
