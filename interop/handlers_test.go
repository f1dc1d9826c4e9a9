package interop

import (
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/authorization"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/availability"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/remotecontrol"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/reservation"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/transactions"
)

// handlers are the library's hooks. resctl has no use for most of them.
type handlers struct{ s *station }

func (h *handlers) OnReserveNow(r *reservation.ReserveNowRequest) (*reservation.ReserveNowResponse, error) {
	h.s.calls <- r
	return h.s.onReserve(r)
}

func (h *handlers) OnCancelReservation(r *reservation.CancelReservationRequest) (*reservation.CancelReservationResponse, error) {
	h.s.calls <- r
	return reservation.NewCancelReservationResponse(h.s.onCancel(r.ReservationID)), nil
}

func (h *handlers) OnTriggerMessage(r *remotecontrol.TriggerMessageRequest) (*remotecontrol.TriggerMessageResponse, error) {
	return remotecontrol.NewTriggerMessageResponse(h.s.onTrigger(r)), nil
}

func (h *handlers) OnRequestStartTransaction(*remotecontrol.RequestStartTransactionRequest) (*remotecontrol.RequestStartTransactionResponse, error) {
	return nil, notSupported()
}

func (h *handlers) OnRequestStopTransaction(*remotecontrol.RequestStopTransactionRequest) (*remotecontrol.RequestStopTransactionResponse, error) {
	return nil, notSupported()
}

func (h *handlers) OnUnlockConnector(*remotecontrol.UnlockConnectorRequest) (*remotecontrol.UnlockConnectorResponse, error) {
	return nil, notSupported()
}

func (h *handlers) OnGetBaseReport(*provisioning.GetBaseReportRequest) (*provisioning.GetBaseReportResponse, error) {
	return nil, notSupported()
}

func (h *handlers) OnGetReport(*provisioning.GetReportRequest) (*provisioning.GetReportResponse, error) {
	return nil, notSupported()
}

func (h *handlers) OnGetVariables(*provisioning.GetVariablesRequest) (*provisioning.GetVariablesResponse, error) {
	return nil, notSupported()
}

func (h *handlers) OnSetVariables(*provisioning.SetVariablesRequest) (*provisioning.SetVariablesResponse, error) {
	return nil, notSupported()
}

func (h *handlers) OnSetNetworkProfile(*provisioning.SetNetworkProfileRequest) (*provisioning.SetNetworkProfileResponse, error) {
	return nil, notSupported()
}

func (h *handlers) OnReset(*provisioning.ResetRequest) (*provisioning.ResetResponse, error) {
	return nil, notSupported()
}

func (h *handlers) OnChangeAvailability(*availability.ChangeAvailabilityRequest) (*availability.ChangeAvailabilityResponse, error) {
	return nil, notSupported()
}

func (h *handlers) OnGetTransactionStatus(*transactions.GetTransactionStatusRequest) (*transactions.GetTransactionStatusResponse, error) {
	return nil, notSupported()
}

func (h *handlers) OnClearCache(*authorization.ClearCacheRequest) (*authorization.ClearCacheResponse, error) {
	return nil, notSupported()
}
