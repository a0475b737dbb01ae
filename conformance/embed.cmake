# Writes files into a header as byte arrays: cmake -DOUT=… -DNAMES=… -DFILES=… -P embed.cmake
set(text "// Made at build time.\n#pragma once\n#include <cstddef>\n")
foreach(name file IN ZIP_LISTS NAMES FILES)
  file(READ ${file} bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND text "alignas(8) inline constexpr unsigned char k${name}[] = {${bytes}0};\n"
    "inline constexpr std::size_t k${name}Size = ${size};\n")
endforeach()
file(WRITE ${OUT} "${text}")
