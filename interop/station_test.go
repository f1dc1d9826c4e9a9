package interop

import (
	"sync"
	"testing"
	"time"

	"github.com/lorenzodonini/ocpp-go/ocpp"
	ocpp2 "github.com/lorenzodonini/ocpp-go/ocpp2.0.1"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/availability"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/remotecontrol"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/reservation"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/types"
	"github.com/lorenzodonini/ocpp-go/ws"
)

// station is a charging station made with another library. What resctl asks
// of it is in calls; it answers as the standard says, unless told otherwise.
type station struct {
	ocpp2.ChargingStation
	t      *testing.T
	id     string
	client *ws.Client
	relay  *relay
	calls  chan any // *reservation.ReserveNowRequest or *reservation.CancelReservationRequest
	speak  chan func()

	mu     sync.Mutex
	answer func(*reservation.ReserveNowRequest) (*reservation.ReserveNowResponse, error) // nil: as the standard says
	holds  map[int]*reservation.ReserveNowRequest
}

const evses = 4

// newStation makes one that is not connected yet.
func newStation(t *testing.T, id string) *station {
	t.Helper()
	s := &station{t: t, id: id, relay: newRelay(t), calls: make(chan any, 64), speak: make(chan func(), 64),
		holds: map[int]*reservation.ReserveNowRequest{}}
	s.client = ws.NewClient()
	timeouts := ws.NewClientTimeoutConfig()
	timeouts.RetryBackOffWaitMinimum, timeouts.RetryBackOffRandomRange, timeouts.RetryBackOffRepeatTimes = 20*time.Millisecond, 0, 0
	s.client.SetTimeoutConfig(timeouts)
	s.ChargingStation = ocpp2.NewChargingStation(id, nil, s.client)
	h := &handlers{s}
	s.SetReservationHandler(h)
	s.SetProvisioningHandler(h)
	s.SetRemoteControlHandler(h)
	s.SetAvailabilityHandler(h)
	s.SetTransactionsHandler(h)
	s.SetAuthorizationHandler(h)
	go s.reporter()
	return s
}

// reporter sends what handlers have to report: they run where answers are read.
func (s *station) reporter() {
	for {
		select {
		case report := <-s.speak:
			report()
		case <-s.t.Context().Done():
			return
		}
	}
}

// connect lets the line lead to resctl, and connects for the first time. From
// then on the library connects again by itself.
func (s *station) connect(a *applying) {
	s.t.Helper()
	s.relay.to(a)
	if err := s.Start(s.relay.url() + "/ocpp"); err != nil {
		s.t.Fatalf("connect: %v", err)
	}
	s.t.Cleanup(s.Stop)
}

// reconnected lets the line lead to another resctl, and waits for it to hold.
func (s *station) reconnected(a *applying) {
	s.t.Helper()
	before := s.relay.connections()
	s.relay.to(a)
	poll(s.t, "reconnect", func() bool { return s.relay.connections() > before && s.IsConnected() },
		func() any { return s.relay.connections() })
}

// boot says who it is, and how its EVSEs are.
func (s *station) boot() {
	s.t.Helper()
	r, err := s.BootNotification(provisioning.BootReasonPowerUp, "Model", "Vendor", func(r *provisioning.BootNotificationRequest) {
		r.ChargingStation.SerialNumber = "SN-" + s.id
	})
	if err != nil || r.Status != provisioning.RegistrationStatusAccepted || r.Interval <= 0 || r.CurrentTime.IsZero() {
		s.t.Fatalf("boot: %+v, %v", r, err)
	}
	for evse := 1; evse <= evses; evse++ {
		s.status(evse, availability.ConnectorStatusAvailable)
	}
}

func (s *station) status(evse int, status availability.ConnectorStatus) {
	s.t.Helper()
	if _, err := s.StatusNotification(types.Now(), status, evse, 1); err != nil {
		s.t.Errorf("status: %v", err)
	}
}

// answers changes how ReserveNow is answered.
func (s *station) answers(how func(*reservation.ReserveNowRequest) (*reservation.ReserveNowResponse, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = how
}

// ends takes a reservation away and tells so.
func (s *station) ends(id int, how reservation.ReservationUpdateStatus) {
	s.t.Helper()
	s.mu.Lock()
	r := s.holds[id]
	delete(s.holds, id)
	s.mu.Unlock()
	if r == nil {
		s.t.Fatalf("reservation %d is not there", id)
	}
	s.status(*r.EvseID, availability.ConnectorStatusAvailable)
	if _, err := s.ReservationStatusUpdate(id, how); err != nil {
		s.t.Fatalf("update: %v", err)
	}
}

// reserve is the next call, which must be a ReserveNow.
func (s *station) reserve() *reservation.ReserveNowRequest {
	s.t.Helper()
	r, ok := s.next().(*reservation.ReserveNowRequest)
	if !ok {
		s.t.Fatalf("asked %+v, not a ReserveNow", r)
	}
	return r
}

// cancel is the next call, which must be a CancelReservation.
func (s *station) cancel() int {
	s.t.Helper()
	r, ok := s.next().(*reservation.CancelReservationRequest)
	if !ok {
		s.t.Fatalf("asked %+v, not a CancelReservation", r)
	}
	return r.ReservationID
}

func (s *station) next() any {
	s.t.Helper()
	select {
	case c := <-s.calls:
		return c
	case <-time.After(patience):
		s.t.Fatal("the station is not asked")
		return nil
	}
}

// nothing was asked besides what was taken already.
func (s *station) nothing() {
	s.t.Helper()
	select {
	case c := <-s.calls:
		s.t.Errorf("the station was asked once too often: %+v", c)
	default:
	}
}

// onReserve keeps to H01: a known id is replaced, a taken EVSE is Occupied.
func (s *station) onReserve(r *reservation.ReserveNowRequest) (*reservation.ReserveNowResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer != nil {
		return s.answer(r)
	}
	for id, other := range s.holds {
		if id != r.ID && r.EvseID != nil && other.EvseID != nil && *r.EvseID == *other.EvseID {
			return reservation.NewReserveNowResponse(reservation.ReserveNowStatusOccupied), nil
		}
	}
	s.holds[r.ID] = r
	if r.EvseID != nil {
		s.speak <- func() { s.status(*r.EvseID, availability.ConnectorStatusReserved) }
	}
	return reservation.NewReserveNowResponse(reservation.ReserveNowStatusAccepted), nil
}

// onCancel keeps to H02.
func (s *station) onCancel(id int) reservation.CancelReservationStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.holds[id]
	if !ok {
		return reservation.CancelReservationStatusRejected
	}
	delete(s.holds, id)
	if r.EvseID != nil {
		s.speak <- func() { s.status(*r.EvseID, availability.ConnectorStatusAvailable) }
	}
	return reservation.CancelReservationStatusAccepted
}

// onTrigger sends statuses; the boot is over (F06.FR.17).
func (s *station) onTrigger(r *remotecontrol.TriggerMessageRequest) remotecontrol.TriggerMessageStatus {
	if r.RequestedMessage != remotecontrol.MessageTriggerStatusNotification || r.Evse == nil || r.Evse.ConnectorID == nil {
		return remotecontrol.TriggerMessageStatusRejected
	}
	s.speak <- func() { s.status(r.Evse.ID, availability.ConnectorStatusAvailable) }
	return remotecontrol.TriggerMessageStatusAccepted
}

func notSupported() error { return ocpp.NewError("NotSupported", "not in this test", "") }
