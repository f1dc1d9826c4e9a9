package reconcile

// Code explains a finding. The table is the reference that docs/codes.md and
// the tests are held against.
type Code struct{ Code, Title, Meaning, Remedy string }

// Codes of the findings that a plan or a proposal can have.
func Codes() []Code {
	return []Code{
		{"RC101", "cancels something held", "The station holds the reservation now and will be told to let it go.", "Keep the declaration, or approve knowing it."},
		{"RC102", "updates something held", "The station holds the reservation now and is asked for new content under the same id.", "None needed; a station that refuses keeps the old content, which shows as outstanding."},
		{"RC103", "replaces something held", "The station holds the reservation now; it is cancelled and asked for anew, so for a moment nothing is held.", "Change only token or expiry to avoid the gap."},
		{"RC104", "moves something held", "The reservation goes to another station, which is asked first.", "None needed."},
		{"RC105", "cancellation is prevented", "lifecycle.prevent_cancel is stored for an address that the proposal would cancel, replace or move.", "Set prevent_cancel = false, apply, then remove it."},
		{"RC106", "forgets something held", "The station holds the reservation now and goes on holding it until it expires; nobody looks after it.", "Keep the declaration, or approve knowing it."},
		{"RC107", "the new name is taken", "A moved block gives a stored reservation the address of another one that is stored.", "Remove the moved block, or cancel or forget one of the two first."},
		{"RC108", "the id is our own", "An import block names an id under which this state has asked for another reservation.", "Use a moved block, or resctl state mv, to give it another address."},
		{"RC201", "two windows overlap on one EVSE", "Both declarations want the same EVSE at the same time; an EVSE holds one reservation.", "Change the EVSE or a window of one of them."},
		{"RC202", "not enough EVSEs", "At some instant the reservations of any EVSE, or of any with a connector type, and those of named EVSEs cannot each have an EVSE of their own. Those that are named are too many by one: without any one of them it fits.", "Change the window, the station or the EVSE of one of them; or declare the EVSEs that the station has."},
		{"RC203", "not each can keep one EVSE", "At every instant there is an EVSE for each, but no seating lets each have the same one for its whole window; a station that binds a reservation to an EVSE refuses one of them. The search is bounded: that it finds nothing proves nothing.", "Name other EVSEs, or change a window of one of them."},
		{"RC204", "the fit cannot be proven", "Reservations of any EVSE, or of any with a connector type, are wanted together with others of a station whose EVSEs, or their connector types, are not known.", "Declare the station's evse blocks with their connector_types."},
		{"RC205", "no such EVSE", "A reservation names an EVSE that the station has never reported, or that the workspace which declares the station does not declare.", "Check the number; declare the station's evse blocks."},
		{"RC301", "a window is skipped", "On a day when the clocks change, a window of the schedule is empty: its start moves forward to its end or beyond.", "None needed, if nothing is to be held then; otherwise change start_time or end_time."},
		{"RC302", "the window is over", "The declared window ends before now: nothing is sent.", "Declare a later window, or delete the declaration."},
		{"RC401", "station is offline", "Something is due at a station that is not connected; it is sent when the station connects.", "Bring the station online."},
		{"RC402", "station declared twice", "Another workspace declares a station with this identity.", "Use its identity string instead of a second block."},
		{"RC403", "station is still named", "A station block is removed while reservations still name its station.", "Remove or move these reservations as well."},
		{"RC404", "station does no reservations", "The station answered that it does not support reservations; it is asked again after its next boot.", "Enable reservations on the station (ReservationCtrlr.Enabled), or use another one."},
		{"RC405", "the token does not fit the version", "The token of a reservation, or its group's, is longer than the station's version of OCPP allows (1.6: 20 characters, 2.0.1: 36, 2.1: 255), of a type that it does not have, or of characters that it does not make tokens of. An error where the version that the station last spoke, and the one that it is declared to speak, can never say it; a warning where one of them can, where stations differ, or where neither is known, which is then taken for a version that resctl speaks.", "Use another token, or a station that speaks a later version."},
		{"RC406", "the connector type does not fit the version", "OCPP 1.6 cannot reserve by connector type, and 2.0.1 has a closed list of types. An error or a warning as with RC405.", "Name an EVSE with evse_id."},
		{"RC407", "any EVSE may not be taken", "In OCPP 1.6 a reservation of any EVSE is one of connector 0, which a station takes only if ReserveConnectorZeroSupported is true. A warning.", "Name an EVSE with evse_id, or see whether the station takes it."},
		{"RC408", "the declared version is not spoken here", "A station block says ocpp_version, and this version of resctl does not speak it. A warning: a station that speaks nothing else cannot connect.", "Use a resctl that speaks it; or correct ocpp_version, or leave it out."},
		{"RC409", "another version than declared", "A station last spoke another version of OCPP than its block says. A warning.", "Correct ocpp_version, or leave it out."},
		{"RC701", "the plan is stale", "What the plan was made from has changed since.", "Plan again and review it."},
		{"RC702", "too many cancellations", "The proposal cancels more than --max-cancel allows.", "Check the plan; raise --max-cancel if it is right."},
		{"RC703", "nothing would be kept", "The proposal keeps none of the workspace's active addresses.", "Check the directory and the variables; pass --allow-empty if it is right."},
		{"RC704", "the digest differs", "--expect-digest names another plan than the one made now.", "Plan again and review it."},
		{"RC705", "the workspace is frozen", "Somebody has frozen the workspace, or all of them: no proposal is stored until that ends or is lifted.", "The message says who, why and until when, and the command that lifts it."},
	}
}
