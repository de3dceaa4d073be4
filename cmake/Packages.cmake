# The Debian package `alphaswarm`: the program, its systemd units and the collector's configurations.
#   cmake --install build/release --component alphaswarm --strip
#   cd build/release && cpack            → alphaswarm_<version>_<architecture>.deb
include(GNUInstallDirs)
install(TARGETS alphaswarm RUNTIME COMPONENT alphaswarm)
file(GLOB units ${CMAKE_SOURCE_DIR}/alphaswarm_platform/deploy/systemd/*.service)
install(FILES ${units} DESTINATION lib/systemd/system COMPONENT alphaswarm)
install(FILES
  ${CMAKE_SOURCE_DIR}/alphaswarm_platform/deploy/otel/otel-collector-config.yaml
  ${CMAKE_SOURCE_DIR}/alphaswarm_platform/deploy/otel/embedded.yaml
  DESTINATION share/alphaswarm COMPONENT alphaswarm)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION share/doc/alphaswarm RENAME copyright COMPONENT alphaswarm)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "The AlphaSwarm developers <alphaswarm@localhost>")
set(CPACK_COMPONENTS_ALL alphaswarm)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_ALPHASWARM_PACKAGE_NAME alphaswarm)
set(CPACK_DEBIAN_ALPHASWARM_DESCRIPTION "Trading system traced end to end, and its trace backend")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
include(CPack)
