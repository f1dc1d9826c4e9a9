package reservation

import (
	_ "embed"
	"strings"
	_ "time/tzdata" // a schedule means the same where the system has no zone data; here, so that no program can forget it
)

// zoneNames has one IANA zone a line, links included: those that Go itself
// carries. A zone counts if it is here, so that the machine does not decide.
//
//go:embed zones.txt
var zoneNames string

// knownZone reports whether a name is in the list, at no cost worth a table: each
// schedule that is read asks.
func knownZone(name string) bool {
	return !strings.Contains(name, "\n") && (strings.HasPrefix(zoneNames, name+"\n") || strings.Contains(zoneNames, "\n"+name+"\n"))
}

// TimeZones lists the names that time_zone may have, sorted, for suggestions.
func TimeZones() []string { return strings.Fields(zoneNames) }
