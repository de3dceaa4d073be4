# The Debian packages, made by `cpack` in the build folder:
#   alphaswarm                         the program, its systemd units, the collector's configurations,
#                                      shell completion and man pages
#   libalphaswarm-observability-dev    the SDK, to build other programs with
# With -DALPHASWARM_OTEL=OFF their names end in -no-otel and -no-otel-dev, and each takes the place
# of its traced sibling. With -DALPHASWARM_SDK_ONLY=ON only the second is made.
#   cmake --install build/release --component alphaswarm --strip    the same without a package
set(no_otel "")
if(NOT ALPHASWARM_OTEL)
  set(no_otel "-no-otel")
endif()
set(components observability)

if(TARGET alphaswarm)
  list(APPEND components alphaswarm)
  install(TARGETS alphaswarm RUNTIME COMPONENT alphaswarm)
  file(GLOB units ${CMAKE_SOURCE_DIR}/alphaswarm_platform/deploy/systemd/*.service)
  install(FILES ${units} DESTINATION lib/systemd/system COMPONENT alphaswarm)
  install(FILES
    ${CMAKE_SOURCE_DIR}/alphaswarm_platform/deploy/otel/otel-collector-config.yaml
    ${CMAKE_SOURCE_DIR}/alphaswarm_platform/deploy/otel/embedded.yaml
    DESTINATION share/alphaswarm COMPONENT alphaswarm)
  install(FILES ${CMAKE_SOURCE_DIR}/cmake/debian/copyright ${CMAKE_SOURCE_DIR}/CHANGELOG.md
    DESTINATION share/doc/alphaswarm${no_otel} COMPONENT alphaswarm)
endif()

# Shell completion and man pages: see alphaswarm/cli/CMakeLists.txt.
if(TARGET alphaswarm AND NOT ALPHASWARM_SANITIZE)
  set(shell ${CMAKE_BINARY_DIR}/generated/shell)
  install(FILES ${shell}/alphaswarm DESTINATION share/bash-completion/completions COMPONENT alphaswarm)
  install(FILES ${shell}/_alphaswarm DESTINATION share/zsh/vendor-completions COMPONENT alphaswarm)
  install(FILES ${shell}/alphaswarm.fish DESTINATION share/fish/vendor_completions.d COMPONENT alphaswarm)
  install(DIRECTORY ${shell}/man/ DESTINATION share/man/man1 COMPONENT alphaswarm)
endif()
install(FILES ${CMAKE_SOURCE_DIR}/cmake/debian/copyright ${CMAKE_SOURCE_DIR}/CHANGELOG.md
  DESTINATION share/doc/libalphaswarm-observability${no_otel}-dev COMPONENT observability)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "The AlphaSwarm developers <alphaswarm@localhost>")
set(CPACK_COMPONENTS_ALL ${components})
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)

set(CPACK_DEBIAN_ALPHASWARM_PACKAGE_NAME alphaswarm${no_otel})
set(CPACK_DEBIAN_ALPHASWARM_PACKAGE_SECTION net)
set(CPACK_DEBIAN_ALPHASWARM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_ALPHASWARM_PACKAGE_DEPENDS libcurl4)  # loaded by its name: see export/libcurl.hpp
set(CPACK_DEBIAN_ALPHASWARM_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/cmake/debian/postinst ${CMAKE_SOURCE_DIR}/cmake/debian/prerm)
set(CPACK_DEBIAN_ALPHASWARM_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
set(CPACK_DEBIAN_ALPHASWARM_DESCRIPTION "Trading system traced end to end, and its trace backend
API, worker, paper trader, simulated exchange, and a collector with a trace
store, query API and pages, in one program.")

# What the package's own CMake and pkg-config files ask for; and libcurl, which is loaded by its name.
set(CPACK_DEBIAN_OBSERVABILITY_PACKAGE_NAME libalphaswarm-observability${no_otel}-dev)
set(CPACK_DEBIAN_OBSERVABILITY_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_OBSERVABILITY_PACKAGE_DEPENDS "libcurl4, libfmt-dev, libnghttp2-dev, libsimdjson-dev, libspdlog-dev, libssl-dev, zlib1g-dev, pkg-config")
set(CPACK_DEBIAN_OBSERVABILITY_DESCRIPTION "OpenTelemetry SDK for C++23: tracing, metrics and logs
Headers and static libraries, for find_package(AlphaSwarm COMPONENTS
observability) and pkg-config alphaswarm-observability.")
if(no_otel)
  foreach(pair IN ITEMS "ALPHASWARM;alphaswarm" "OBSERVABILITY;libalphaswarm-observability-dev")
    list(GET pair 0 component)
    list(GET pair 1 sibling)
    set(CPACK_DEBIAN_${component}_PACKAGE_PROVIDES ${sibling})
    set(CPACK_DEBIAN_${component}_PACKAGE_CONFLICTS ${sibling})
    set(CPACK_DEBIAN_${component}_PACKAGE_REPLACES ${sibling})
  endforeach()
endif()
include(CPack)
