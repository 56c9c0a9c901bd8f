# Runs at install time, when the prefix is known (cmake --install --prefix) and DESTDIR is set.
# SOURCE and STAGE come from packaging/CMakeLists.txt.
string(REGEX REPLACE "/+$" "" prefix "${CMAKE_INSTALL_PREFIX}")
if(prefix MATCHES "^/usr(/local)?$")
  set(etc /etc)
  set(config_argument "")
else()
  set(etc "${prefix}/etc")
  set(config_argument " -c ${etc}/proxyd/proxyd.yaml")
endif()

# The unit and the log rotation name the program by its path.
function(install_with_paths file name destination)
  file(READ "${SOURCE}/${file}" text)
  string(REPLACE "/usr/sbin/proxyd run" "/usr/sbin/proxyd run${config_argument}" text "${text}")
  string(REGEX REPLACE "(/usr/sbin/proxyd -s [a-z]+)" "\\1${config_argument}" text "${text}")
  string(REPLACE "/usr/sbin/proxyd" "${prefix}/sbin/proxyd" text "${text}")
  file(WRITE "${STAGE}/${name}" "${text}")
  file(INSTALL "${STAGE}/${name}" DESTINATION "${destination}")
endfunction()

install_with_paths(proxyd.service proxyd.service "${prefix}/lib/systemd/system")
install_with_paths(proxyd.logrotate proxyd "${etc}/logrotate.d")
file(INSTALL "${SOURCE}/proxyd.sysusers" DESTINATION "${prefix}/lib/sysusers.d"
     RENAME proxyd.conf)
file(INSTALL "${SOURCE}/proxyd.tmpfiles" DESTINATION "${prefix}/lib/tmpfiles.d"
     RENAME proxyd.conf)

# The operator's file is never overwritten.
if(NOT EXISTS "$ENV{DESTDIR}${etc}/proxyd/proxyd.yaml")
  file(INSTALL "${SOURCE}/../config/proxyd.yaml" DESTINATION "${etc}/proxyd")
endif()
file(MAKE_DIRECTORY "$ENV{DESTDIR}${etc}/proxyd/conf.d")
