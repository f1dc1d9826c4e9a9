package reservation

// Placed is an occurrence and the station at which it is.
type Placed struct {
	StationID string `json:"station_id"`
	*Occurrence
}
