# What `cmake --install` puts where, in two components:
#   observability  the SDK: headers, static libraries, find_package() and pkg-config
#   alphaswarm     the program and what belongs to it: see Packages.cmake
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(sdk_modules base config otlp observability)
list(TRANSFORM sdk_modules PREPEND alphaswarm_ OUTPUT_VARIABLE sdk_targets)
set_target_properties(alphaswarm_observability PROPERTIES EXPORT_NAME observability)
foreach(module IN ITEMS base config otlp)
  set_target_properties(alphaswarm_${module} PROPERTIES EXPORT_NAME ${module})
endforeach()

install(TARGETS ${sdk_targets} EXPORT AlphaSwarmObservabilityTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT observability)
foreach(module IN LISTS sdk_modules)
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/alphaswarm/${module} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/alphaswarm
    COMPONENT observability FILES_MATCHING PATTERN "*.hpp" PATTERN "*_test.hpp" EXCLUDE)
endforeach()

# Two names lead to the same targets: find_package(AlphaSwarmObservability), and
# find_package(AlphaSwarm COMPONENTS observability).
set(package_root ${CMAKE_INSTALL_LIBDIR}/cmake)
install(EXPORT AlphaSwarmObservabilityTargets NAMESPACE AlphaSwarm::
  DESTINATION ${package_root}/AlphaSwarmObservability COMPONENT observability)
foreach(package IN ITEMS AlphaSwarm AlphaSwarmObservability)
  configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/${package}Config.cmake.in
    ${CMAKE_BINARY_DIR}/${package}Config.cmake INSTALL_DESTINATION ${package_root}/${package})
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/${package}ConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_BINARY_DIR}/${package}Config.cmake ${CMAKE_BINARY_DIR}/${package}ConfigVersion.cmake
    DESTINATION ${package_root}/${package} COMPONENT observability)
endforeach()

set(sdk_definitions "")
if(NOT ALPHASWARM_OTEL)
  set(sdk_definitions "-DALPHASWARM_OTEL=0")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/alphaswarm-observability.pc.in
  ${CMAKE_BINARY_DIR}/alphaswarm-observability.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/alphaswarm-observability.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT observability)
