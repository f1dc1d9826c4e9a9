package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/resctl/resctl/metrics"
	"github.com/resctl/resctl/ocppclient"
	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// workplace is a state file and, where stations are served from this process,
// the endpoint to which they connect.
type workplace struct {
	*reconcile.Ledger
	path     string
	db       *state.DB   // nil: nothing is stored yet, and nothing may be
	opened   os.FileInfo // the file that is open, whatever its path names now
	backlog  *backlog    // what is recorded in it while stations are served
	lock     *state.Lock
	listener net.Listener
	log      *slog.Logger
	guarded  bool // stations without a password do not come in

	security    ocppclient.Security
	credentials *ocppclient.Credentials // nil: no TLS
	api         *apiDoor                // nil: the API is reached through the socket alone
	perAddress  int                     // connections; 0: the default
	messageRate int                     // messages of a station in a second; 0: the default

	strangers, anyToken bool          // stations that nothing declares come in; every token may charge
	retention           time.Duration // of the journal; 0: the default
	again               func()        // reads settings again; nil: certificates alone

	connectors map[string]int                   // of simulated stations
	leaving    []reservation.StationDeclaration // blocks that this run removes

	monitor    *monitor         // nil: nobody asks how it is
	meters     *metrics.Metrics // nil: nothing is measured
	supervisor supervisor
	herald     *herald // nil: nobody is notified, nor will be
}

var _ ledger = (*workplace)(nil)

// Last is the journal's highest sequence.
func (w *workplace) Last(ctx context.Context) (int64, error) {
	if w.db == nil {
		return 0, nil
	}
	return w.db.Last(ctx)
}

// Meta is what the state knows of itself.
func (w *workplace) Meta(ctx context.Context) (reservation.Meta, error) { return w.Store.Meta(ctx) }

// lookAt opens a state for reading. One that is not there is an empty one.
func lookAt(ctx context.Context, path string) (*workplace, error) {
	w := &workplace{path: path, log: slog.New(slog.DiscardHandler)}
	db, err := state.Open(ctx, path, state.Options{ReadOnly: true})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.Ledger = newLedger(newNothing(), reconcile.DefaultSettings())
		return w, nil
	case err != nil:
		return nil, stateProblem(path, err)
	}
	w.db, w.Ledger = db, newLedger(db, reconcile.DefaultSettings())
	return w, nil
}

// takeOver opens a state to change it and to speak to its stations: for that
// it holds the lock. What a process before it left open is brought to an end.
func takeOver(ctx context.Context, path string, settings reconcile.Settings, log *slog.Logger) (*workplace, error) {
	return takeOverFrom(ctx, path, settings, log, 0)
}

// takeOverFrom is takeOver where a state that is new counts its ids from a number.
func takeOverFrom(ctx context.Context, path string, settings reconcile.Settings, log *slog.Logger, firstID int32) (_ *workplace, err error) {
	w := &workplace{path: path, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if w.lock, err = state.AcquireLock(path); err != nil {
		return nil, stateProblem(path, err)
	}
	if w.db, err = state.Open(ctx, path, state.Options{Migrate: true, FirstReservationID: firstID}); err != nil {
		return nil, stateProblem(path, err)
	}
	if w.opened, err = os.Stat(path); err != nil {
		return nil, stateProblem(path, err)
	}
	w.Ledger, w.backlog = newLedger(w.db, settings), newBacklog(w.db, log)
	if err = w.Recover(ctx); err != nil {
		return nil, err
	}
	return w, w.settleOffline(ctx)
}

// takeOverStored is takeOver of a state that there is.
func (c *cli) takeOverStored(ctx context.Context) (*workplace, error) {
	if _, err := os.Stat(c.statePath()); errors.Is(err, fs.ErrNotExist) {
		return nil, problemf(codeNoAddress, "Nothing is stored", "There is no state %s yet: the first apply makes it. --state or -C names another place.", c.statePath())
	}
	return takeOver(ctx, c.statePath(), reconcile.DefaultSettings(), c.logger())
}

func newLedger(store reconcile.Store, settings reconcile.Settings) *reconcile.Ledger {
	return &reconcile.Ledger{Store: store, Settings: settings, Now: time.Now, Speaks: spoken()}
}

// stateProblem says what to do about a state that cannot be used.
func stateProblem(path string, err error) error {
	var locked *state.LockedError
	switch {
	case errors.As(err, &locked) && locked.PID != 0:
		return problemf(codeInUse, "The state is in use", "Process %d has been working on %s since %s. One process at a time speaks to stations: wait for it to end, or stop it.\nplan and show work meanwhile.",
			locked.PID, path, locked.Since.Local().Format("Mon 2 Jan 15:04:05"))
	case errors.Is(err, state.ErrLocked):
		return problemf(codeInUse, "The state is in use", "Another process works on %s. One process at a time speaks to stations: wait for it to end, or stop it.", path)
	case errors.Is(err, state.ErrNewerSchema):
		return problemf(codeNewer, "The state was written by a newer resctl", "%s: %s", path, reasonOf(err, path))
	}
	if f, open := os.Open(path); errors.Is(open, fs.ErrPermission) {
		return problemf(codeState, "The state cannot be read", "%s: permission denied. It holds tokens, and is for its owner alone: run resctl as its owner, or name another one with --state.", path)
	} else if open == nil {
		_ = f.Close()
	}
	if errors.Is(err, fs.ErrPermission) {
		return problemf(codeState, "The state cannot be written", "%s: permission denied. The file and its directory must be writable for this user: %s.lock and others lie beside it. --state names another place.", path, path)
	}
	return problemf(codeState, "The state cannot be used", "%s: %s.\nThe state is the file resctl.db beside the configuration; --state names another one.", path, reasonOf(err, path))
}

// listen takes an address, so that one that is not free is known before
// anything is planned. Stations are answered from serve on.
func (w *workplace) listen(address string) (err error) {
	if w.listener, err = net.Listen("tcp", address); err != nil {
		return problemf(codeAddress, "Cannot listen on "+address, "%s.\nChoose another address, such as --listen 127.0.0.1:8887, or stop what uses this one.", reasonOf(err, address))
	}
	return nil
}

// checkExposure refuses addresses where strangers could pose as a station;
// open is one that has no password, "" if all have.
func checkExposure(address, open string, insecure bool) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return problemf(codeAddress, "Not an address: "+address, "Write host and port, such as --listen 127.0.0.1:8887.")
	}
	if ocppclient.CheckExposure(address, open == "", insecure) != nil {
		return problemf(codeExposed, "Anyone could pose as a station", "Other machines reach %s, and %s has no password.\nGive each station block a password, listen on 127.0.0.1, or say --insecure.", address, open)
	}
	return nil
}

// checkKind refuses to let simulated stations meet a state of real ones.
func (w *workplace) checkKind(ctx context.Context, simulated bool) error {
	meta, err := w.Meta(ctx)
	if err != nil || meta.Simulated == nil || *meta.Simulated == simulated {
		return err
	}
	was, is := "real", "simulated"
	if !simulated {
		was, is = is, was
	}
	return problemf(codeMixed, "This state has met "+was+" stations", "%s cannot meet %s ones as well: what it believes would no longer be true of either. Use another state, such as --state %s.db.", w.path, is, is)
}

// serve lets stations connect until ctx ends and, if they are simulated,
// starts them. Calls in flight are recorded before it returns.
func (w *workplace) serve(ctx context.Context, simulated bool) error {
	whole := context.WithoutCancel(ctx) // a run that ends at once is no failure
	if err := w.db.Mark(whole, simulated); err != nil {
		return stateProblem(w.path, err)
	}
	known, err := newRoster(whole, w.Store, w.leaving)
	if err != nil {
		return err
	}
	if simulated {
		w.connectors = known.connectors()
	}
	loops, stop := w.newLoops()
	defer stop()
	strangers := newStrangers(known)
	defer w.db.OnCommit(strangers.look)()
	server, err := ocppclient.NewServer(ocppclient.Config{
		Observe: w.observe, Authorize: w.authorize(known), Log: w.log,
		Joined: func(s *ocppclient.Session) { w.come(loops, strangers, s) },
		Left: func(s *ocppclient.Session) {
			loops.Leave(s.StationID(), s.Connection())
			strangers.leave(s)
		},
		Security: w.security, MaxPerAddress: w.perAddress, MaxMessageRate: w.messageRate,
		Admit: func(ctx context.Context, identity string) (ocppclient.Admission, error) {
			return w.admission(ctx, known, identity, simulated)
		},
	})
	if err != nil {
		return err
	}
	var beside sync.WaitGroup
	defer beside.Wait()
	life, end := context.WithCancel(whole) // of what must outlive the server
	defer end()
	ctx, fail := context.WithCancel(ctx)
	defer fail()
	beside.Go(func() { w.backlog.run(life) })
	beside.Go(func() { loops.Run(ctx) })
	beside.Go(func() { w.watchOthers(ctx) })
	hup := w.hangups()
	beside.Go(func() { w.readAgain(ctx, hup) })
	if simulated {
		if err := w.simulate(life, &beside, known); err != nil {
			return err
		}
	}
	w.monitor.serves(server)
	defer w.monitor.serves(nil)
	return server.Run(ctx, w.listener)
}

func (w *workplace) observe(ctx context.Context, e reservation.Event) (reservation.Event, error) {
	stored, err := w.backlog.Report(ctx, e)
	switch {
	case err != nil:
		w.meters.Reported(e.Kind, metrics.Failed)
		return e, err
	case stored[0].Seq == 0:
		w.meters.Reported(e.Kind, metrics.Unchanged)
	default:
		w.meters.Reported(e.Kind, metrics.Stored)
	}
	return stored[0], nil
}

// newLoops are the loops of all stations, woken by what is recorded.
func (w *workplace) newLoops() (loops *reconcile.Loops, stop func()) {
	var full sparing
	loops = reconcile.NewLoops(w.controller(), w.stationIDs, func(station string, err error) {
		about := []any{"station", station, "error", err}
		if errors.Is(err, state.ErrPassing) { // for all stations, each second
			leftOut, ok := full.may(time.Now())
			if !ok {
				return
			}
			about = append(about, "suppressed", leftOut)
		}
		w.log.Error("the loop of a station failed; it goes on shortly", about...)
	})
	loops.Late = w.meters.Late
	return loops, w.db.OnCommit(loops.Wake)
}

func (w *workplace) stationIDs(ctx context.Context) (ids []string, err error) {
	stations, err := w.Store.Stations(ctx)
	for i := range stations {
		ids = append(ids, strings.Clone(stations[i].ID)) // which stay: side by side
	}
	return ids, err
}

// join puts a socket beside the loop of its station. That of a simulated one has
// to wait for all first statuses, which stands for the quiet period, short as
// that is for them: a status that came behind the answer to a reservation would
// look as if the reservation were lost. On a busy machine that happens.
func (w *workplace) join(loops *reconcile.Loops, s *ocppclient.Session) {
	if w.connectors[s.StationID()] == 0 {
		loops.Join(s.StationID(), s.Connection(), w.measured(s))
		return
	}
	go func() {
		w.awaitStatuses(s)
		loops.Join(s.StationID(), s.Connection(), w.measured(s))
		select {
		case <-s.Done(): // it may have left before it joined
			loops.Leave(s.StationID(), s.Connection())
		default:
		}
	}()
}

func (w *workplace) awaitStatuses(s *ocppclient.Session) {
	changed, stop := w.db.Wake(s.StationID())
	defer stop()
	patience := time.After(w.Settings.Patience)
	for {
		book, err := w.db.Book(context.Background(), s.StationID(), w.Now())
		if err != nil || len(book.Station.Connectors) >= w.connectors[s.StationID()] {
			return
		}
		select {
		case <-changed:
		case <-patience:
			return
		case <-s.Done():
			return
		}
	}
}

func (w *workplace) controller() *reconcile.Controller {
	return &reconcile.Controller{Journal: w.backlog, Settings: w.Settings, Now: w.Now}
}

// Close gives everything back.
func (w *workplace) Close() error {
	var errs []error
	if w.listener != nil {
		if err := w.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if w.api != nil {
		_ = w.api.Close() // the server has closed it, if there was one
	}
	if w.db != nil {
		errs = append(errs, w.db.Close())
	}
	if w.lock != nil {
		errs = append(errs, w.lock.Release())
	}
	return errors.Join(errs...)
}

// simulatedSettings are for stations that are in this process: nothing of
// theirs is under way for long.
func simulatedSettings() reconcile.Settings {
	return reconcile.Settings{QuietPeriod: 20 * time.Millisecond, QuietMax: time.Second, Patience: 2 * time.Second}
}

// simulate starts a station for each that is known: over loopback TCP, with a
// memory beside the state.
func (w *workplace) simulate(ctx context.Context, beside *sync.WaitGroup, known *roster) error {
	dialer := sim.NewDialer()
	for _, m := range known.all() {
		client, err := sim.NewClient(sim.ClientConfig{
			Station: machine(m), URL: "ws://" + w.listener.Addr().String() + "/ocpp", Dialer: dialer,
			Memory: memory{sim.Directory(w.path + ".sim")}, Log: w.log, MinBackOff: 50 * time.Millisecond,
		})
		if err != nil {
			return problemf(codeState, "A simulated station lost its memory", "%s.\nRemove the directory %s.sim: the stations then start anew.", err, w.path)
		}
		beside.Go(func() {
			if err := client.Run(ctx); err != nil {
				w.log.Error("simulated station failed", "station", m.id, "error", err)
			}
		})
	}
	return nil
}

// memory outlives the process but not a loss of power: it is a simulation, and
// to wait for the disk would slow it down tenfold.
type memory struct{ sim.Directory }

func (m memory) Save(station string, snapshot []byte, _ bool) error {
	return m.Directory.Save(station, snapshot, false)
}

// machine is a station as it is declared or, where no block declares it, as
// those who name it need it to be.
func machine(m member) sim.Config {
	c := sim.Config{ID: m.id, Serial: "SIM-" + m.id, Vendor: "resctl", Model: "Simulated"}
	if m.declared.SerialNumber != "" {
		c.Serial = m.declared.SerialNumber
	}
	for _, e := range m.evses() {
		types := make([]v201.ConnectorType, len(e.ConnectorTypes))
		for i, t := range e.ConnectorTypes {
			types[i] = v201.ConnectorType(t)
		}
		c.EVSEs = append(c.EVSEs, sim.EVSE{ID: e.ID, Connectors: types})
	}
	return c
}

// spoken are the versions of OCPP that the endpoint speaks.
func spoken() []string { return []string{"2.0.1"} }
