# llhttp::llhttp, in strict mode, from whichever shape the distribution ships:
# a CMake package or pkg-config file (llhttp 9, always strict), or the C sources of node-llhttp
# (llhttp 8, which is loose unless LLHTTP_STRICT_MODE is 1 for the library *and* its users).
if(TARGET llhttp::llhttp)
  return()
endif()

find_package(llhttp CONFIG QUIET)
foreach(candidate llhttp::llhttp_shared llhttp::llhttp_static)
  if(TARGET ${candidate} AND NOT TARGET llhttp::llhttp)
    add_library(llhttp::llhttp INTERFACE IMPORTED)
    target_link_libraries(llhttp::llhttp INTERFACE ${candidate})
  endif()
endforeach()

if(NOT TARGET llhttp::llhttp)
  pkg_check_modules(LLHTTP_PC QUIET IMPORTED_TARGET libllhttp)
  if(LLHTTP_PC_FOUND)
    add_library(llhttp::llhttp INTERFACE IMPORTED)
    target_link_libraries(llhttp::llhttp INTERFACE PkgConfig::LLHTTP_PC)
  endif()
endif()

if(NOT TARGET llhttp::llhttp)
  find_path(LLHTTP_SOURCE_DIR llhttp.c HINTS /usr/share/llhttp)
  find_path(LLHTTP_INCLUDE_DIR llhttp.h HINTS /usr/share/include/llhttp /usr/share/llhttp
            PATH_SUFFIXES llhttp)
  if(LLHTTP_SOURCE_DIR AND LLHTTP_INCLUDE_DIR)
    add_library(llhttp_strict STATIC "${LLHTTP_SOURCE_DIR}/llhttp.c" "${LLHTTP_SOURCE_DIR}/http.c"
                "${LLHTTP_SOURCE_DIR}/api.c")
    target_include_directories(llhttp_strict SYSTEM PUBLIC "${LLHTTP_INCLUDE_DIR}")
    target_compile_definitions(llhttp_strict PUBLIC LLHTTP_STRICT_MODE=1)
    target_compile_options(llhttp_strict PRIVATE -O2 -w)
    add_library(llhttp::llhttp ALIAS llhttp_strict)
  endif()
endif()

include(FindPackageHandleStandardArgs)
set(Llhttp_TARGET llhttp::llhttp)
if(NOT TARGET llhttp::llhttp)
  unset(Llhttp_TARGET)
endif()
find_package_handle_standard_args(Llhttp REQUIRED_VARS Llhttp_TARGET)
