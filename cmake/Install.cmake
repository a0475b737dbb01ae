# What `cmake --install` lays down: the programs, and the C++ SDK as one static library with its
# headers, a CMake package (Sealwire::sdk) and a pkg-config file.

# The programs lie in one folder already when built: the one starts the other.
foreach(program sealwire_cli sealwired)
  if(TARGET ${program})
    set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}
  FILES_MATCHING PATTERN "*.md" PATTERN decisions EXCLUDE)
# Bridges that are processes, and the contract that they keep.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/adapters/bridges/
  DESTINATION ${CMAKE_INSTALL_DATADIR}/sealwire/bridges
  FILES_MATCHING PATTERN "*.py" PATTERN "hello/*" PATTERN "sealwire_bridge.h" PATTERN "CONTRACT.md"
  PATTERN "host" EXCLUDE PATTERN "process" EXCLUDE PATTERN "__pycache__" EXCLUDE)

# Sanitized objects are of no use outside; an SDK target comes with its folder.
if(NOT TARGET sealwire_sdk OR SEALWIRE_SANITIZE OR SEALWIRE_FUZZ)
  return()
endif()

# sealwire_parts(OUT TARGET): the static libraries of ours that TARGET links, itself among them.
function(sealwire_parts out target)
  set(parts ${${out}})
  if(NOT target IN_LIST parts)
    list(APPEND parts ${target})
    foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
      get_target_property(links ${target} ${property})
      foreach(link ${links})
        string(REGEX REPLACE "^\\$<(LINK_ONLY|BUILD_INTERFACE):(.*)>$" "\\2" link "${link}")
        if(NOT TARGET ${link})
          continue()
        endif()
        get_target_property(type ${link} TYPE)
        get_target_property(imported ${link} IMPORTED)
        if(type STREQUAL "STATIC_LIBRARY" AND NOT imported)
          sealwire_parts(parts ${link})
        endif()
      endforeach()
    endforeach()
  endif()
  set(${out} ${parts} PARENT_SCOPE)
endfunction()

set(parts "")
sealwire_parts(parts sealwire_sdk)
set(objects "")
foreach(part ${parts})
  list(APPEND objects $<TARGET_OBJECTS:${part}>)
endforeach()
add_library(sealwire_archive STATIC ${objects})
set_target_properties(sealwire_archive PROPERTIES OUTPUT_NAME sealwire LINKER_LANGUAGE CXX
  ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
install(TARGETS sealwire_archive ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/sdk/cpp/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# The pkg-config names of what the archive needs at link time.
set(SEALWIRE_REQUIRES "libsodium libzmq sqlite3 openssl libcurl")
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Sealwire)
configure_package_config_file(cmake/SealwireConfig.cmake.in ${CMAKE_BINARY_DIR}/SealwireConfig.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/SealwireConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/SealwireConfig.cmake ${CMAKE_BINARY_DIR}/SealwireConfigVersion.cmake
  DESTINATION ${package_dir})
# The prefix is taken from where the file lies, so an installed tree can be moved.
file(RELATIVE_PATH SEALWIRE_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" SEALWIRE_PREFIX_FROM_PC "${SEALWIRE_PREFIX_FROM_PC}")
configure_file(cmake/sealwire.pc.in ${CMAKE_BINARY_DIR}/sealwire.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/sealwire.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
