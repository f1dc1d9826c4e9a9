package v201

// Sender is the end that makes a request.
type Sender string

// The two ends.
const (
	FromCSMS    Sender = "CSMS"
	FromStation Sender = "ChargingStation"
)

// Feature is a pair of request and response, named by its action.
type Feature struct {
	Action string
	From   Sender
	// Request and Response make a pointer to an empty message.
	Request, Response func() any
}

func feature[Q, R any](action string, from Sender) Feature {
	return Feature{action, from, func() any { return new(Q) }, func() any { return new(R) }}
}

// Features lists every pair that this package knows. Where a CSMS has nothing
// to learn from a message its request is Empty, which ignores what is in it.
func Features() []Feature {
	list := []Feature{
		feature[ReserveNowRequest, ReserveNowResponse]("ReserveNow", FromCSMS),
		feature[CancelReservationRequest, CancelReservationResponse]("CancelReservation", FromCSMS),
		feature[TriggerMessageRequest, TriggerMessageResponse]("TriggerMessage", FromCSMS),
		feature[GetVariablesRequest, GetVariablesResponse]("GetVariables", FromCSMS),
		feature[ReservationStatusUpdateRequest, ReservationStatusUpdateResponse]("ReservationStatusUpdate", FromStation),
		feature[BootNotificationRequest, BootNotificationResponse]("BootNotification", FromStation),
		feature[HeartbeatRequest, HeartbeatResponse]("Heartbeat", FromStation),
		feature[StatusNotificationRequest, Empty]("StatusNotification", FromStation),
		feature[NotifyEventRequest, Empty]("NotifyEvent", FromStation),
		feature[TransactionEventRequest, TransactionEventResponse]("TransactionEvent", FromStation),
		feature[AuthorizeRequest, AuthorizeResponse]("Authorize", FromStation),
		feature[Empty, Get15118EVCertificateResponse]("Get15118EVCertificate", FromStation),
	}
	for _, action := range []string{"DataTransfer", "SignCertificate", "GetCertificateStatus",
		"NotifyEVChargingNeeds", "NotifyEVChargingSchedule"} {
		list = append(list, feature[Empty, StatusResponse](action, FromStation))
	}
	for _, action := range acknowledged() {
		list = append(list, feature[Empty, Empty](action, FromStation))
	}
	return list
}

// acknowledged lists what a station reports and this program has no use for.
func acknowledged() []string {
	return []string{"MeterValues", "NotifyReport", "SecurityEventNotification", "FirmwareStatusNotification",
		"LogStatusNotification", "NotifyMonitoringReport", "NotifyChargingLimit", "ClearedChargingLimit",
		"NotifyCustomerInformation", "NotifyDisplayMessages", "ReportChargingProfiles",
		"PublishFirmwareStatusNotification"}
}
