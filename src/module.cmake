# proxyd_module(name FLOOR n DEPS module... [LINK library...] [PCH])
# One static library per folder below src/. The floors are those of docs/architecture.md: a module
# may depend only on modules that lie on a lower floor, so there can be no circle; anything else
# stops the configure step. Public headers lie in include/proxyd/<name>/.
function(proxyd_module name)
  cmake_parse_arguments(ARG "PCH" "FLOOR" "DEPS;LINK" ${ARGN})
  if(NOT DEFINED ARG_FLOOR)
    message(FATAL_ERROR "module ${name}: no FLOOR given")
  endif()
  foreach(dep IN LISTS ARG_DEPS)
    if(NOT TARGET proxyd_${dep})
      message(FATAL_ERROR "module ${name}: depends on '${dep}', which is not a module below it")
    endif()
    get_target_property(dep_floor proxyd_${dep} PROXYD_FLOOR)
    if(NOT dep_floor LESS ARG_FLOOR)
      message(FATAL_ERROR
        "module ${name} (floor ${ARG_FLOOR}) must not depend on ${dep} (floor ${dep_floor}): "
        "only lower floors may be included")
    endif()
  endforeach()

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  add_library(proxyd_${name} STATIC ${sources})
  set_target_properties(proxyd_${name} PROPERTIES PROXYD_FLOOR ${ARG_FLOOR} LINKER_LANGUAGE CXX)
  target_include_directories(proxyd_${name} PUBLIC "${PROJECT_SOURCE_DIR}/include"
                             PRIVATE "${PROJECT_SOURCE_DIR}/src")
  list(TRANSFORM ARG_DEPS PREPEND proxyd_)
  target_link_libraries(proxyd_${name} PUBLIC ${ARG_DEPS} ${ARG_LINK})
  if(ARG_PCH)
    target_precompile_headers(proxyd_${name} PRIVATE "${PROJECT_SOURCE_DIR}/src/asio_pch.hpp")
  endif()
  proxyd_check_includes(${name} "${ARG_DEPS}" ${sources})
endfunction()

# The #include lines are checked too: a header of a module that was not declared stops the
# configure step.
function(proxyd_check_includes name deps)
  list(TRANSFORM deps REPLACE "^proxyd_" "")
  file(GLOB_RECURSE files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/proxyd/${name}/*.hpp"
       "${PROJECT_SOURCE_DIR}/src/${name}/*.hpp" "${PROJECT_SOURCE_DIR}/src/${name}/*.cpp")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  foreach(file IN LISTS files)
    file(STRINGS "${file}" lines REGEX "^#include \"proxyd/")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^#include \"proxyd/([a-z0-9_]+)/.*" "\\1" used "${line}")
      if(NOT used STREQUAL name AND NOT used IN_LIST deps)
        message(FATAL_ERROR "${file}: includes module '${used}', which ${name} does not declare")
      endif()
    endforeach()
  endforeach()
endfunction()
