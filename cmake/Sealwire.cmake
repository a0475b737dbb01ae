# How every target of the tree is compiled, and the helpers that keep each CMakeLists.txt a list.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# Flags of every target that we own.
add_library(sealwire_flags INTERFACE)
target_compile_features(sealwire_flags INTERFACE cxx_std_20)
target_compile_options(sealwire_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor)
# When g++ 12 optimises, it takes the unused half of an optional for uninitialised, and small vectors
# that it has inlined for overrun.
target_compile_options(sealwire_flags INTERFACE
  "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<NOT:$<CONFIG:Debug>>>:-Wno-maybe-uninitialized;-Wno-array-bounds;-Wno-stringop-overflow>")
# Not under sanitizers and clang: what g++ 12 imagines in instrumented code is no error of ours.
if(NOT SEALWIRE_SANITIZE)
  target_compile_options(sealwire_flags INTERFACE -Werror)
endif()
target_include_directories(sealwire_flags INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
if(SEALWIRE_SANITIZE)
  add_compile_options(-fsanitize=${SEALWIRE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SEALWIRE_SANITIZE})
endif()
if(SEALWIRE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# sealwire_library(NAME SOURCES … [LINK …] [PRIVATE_LINK …])
function(sealwire_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE $<BUILD_INTERFACE:sealwire_flags> ${ARG_PRIVATE_LINK})
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
endfunction()

# sealwire_test(NAME SOURCES … [LINK …] [LABELS …]): one GoogleTest binary, registered with CTest as
# NAME. The place of its first source says which stage of ./test runs it: tests/adapters and what is
# called transport*, `transports`; the rest of tests/broker, tests/pipeline and tests/simulation,
# `pipeline`; any other, `unit`. Label `long` leaves a test to ./test --long.
function(sealwire_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE sealwire_flags ${ARG_LINK} GTest::gtest GTest::gtest_main)
  list(GET ARG_SOURCES 0 source)
  file(RELATIVE_PATH place ${PROJECT_SOURCE_DIR}/tests ${CMAKE_CURRENT_SOURCE_DIR}/${source})
  if(place MATCHES "^adapters/|/transport[^/]*$")
    list(APPEND ARG_LABELS transports)
  elseif(place MATCHES "^(broker|pipeline|simulation)/")
    list(APPEND ARG_LABELS pipeline)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}"
    ENVIRONMENT "GTEST_OUTPUT=xml:${CMAKE_BINARY_DIR}/results/${name}.xml")
endfunction()
