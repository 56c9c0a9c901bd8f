#pragma once

namespace proxyd::cache::disk {

class DiskZone;

/// What the one thread of a zone does until the zone ends: finds what lies in the directory, looks
/// into every file once (whole? purged before the restart? its tags), with a pause as long as the
/// work so that requests come first, and then removes what nobody uses.
void keep(DiskZone& zone);

}  // namespace proxyd::cache::disk
