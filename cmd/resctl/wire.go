package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

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
	db       *state.DB // nil: nothing is stored yet, and nothing may be
	lock     *state.Lock
	listener net.Listener
	log      *slog.Logger
	guarded  bool // stations without a password do not come in

	security    ocppclient.Security
	credentials *ocppclient.Credentials // nil: no TLS
	perAddress  int                     // connections; 0: the default

	connectors map[string]int                   // of simulated stations
	leaving    []reservation.StationDeclaration // blocks that this run removes
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
func takeOver(ctx context.Context, path string, settings reconcile.Settings, log *slog.Logger) (_ *workplace, err error) {
	w := &workplace{path: path, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if w.lock, err = state.AcquireLock(path); err != nil {
		return nil, stateProblem(path, err)
	}
	if w.db, err = state.Open(ctx, path, state.Options{Migrate: true}); err != nil {
		return nil, stateProblem(path, err)
	}
	w.Ledger = newLedger(w.db, settings)
	if err = w.Recover(ctx); err != nil {
		return nil, err
	}
	_, err = w.settleOffline(ctx)
	return w, err
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
	server, err := ocppclient.NewServer(ocppclient.Config{
		Observe: w.observe, Serve: w.beside, Authorize: known.authorize, Log: w.log,
		Security: w.security, MaxPerAddress: w.perAddress,
		Admit: func(ctx context.Context, identity string) (ocppclient.Admission, error) {
			m, ok, err := known.find(ctx, identity)
			protected := m.declared.PasswordHash != ""
			if ok && w.guarded && !protected {
				w.log.Warn("a station without a password was refused: other machines reach this address", "station", m.id)
				ok = false
			}
			a := ocppclient.Admission{Known: ok, Identity: m.id, SerialNumber: m.declared.SerialNumber}
			if protected && !simulated {
				a.CheckPassword = m.declared.CheckPassword
			}
			return a, err
		},
	})
	if err != nil {
		return err
	}
	var beside sync.WaitGroup
	defer beside.Wait()
	life, end := context.WithCancel(whole) // of what must outlive the server
	defer end()
	beside.Go(func() { w.watchOffline(ctx) })
	beside.Go(func() { w.watchOthers(ctx) })
	beside.Go(func() { w.rereadCredentials(ctx) })
	if simulated {
		w.connectors = known.connectors()
		if err := w.simulate(life, &beside, known); err != nil {
			return err
		}
	}
	return server.Run(ctx, w.listener)
}

func (w *workplace) observe(ctx context.Context, e reservation.Event) (reservation.Event, error) {
	stored, err := w.db.Append(ctx, e)
	if err != nil {
		return e, err
	}
	return stored[0], nil
}

// retryAfter is how long a loop that failed, for want of disk for instance,
// leaves its station alone.
const retryAfter = time.Second

// beside is the loop beside one socket. A loop that was overtaken by a newer
// socket goes on: it is the one again when that ends.
func (w *workplace) beside(ctx context.Context, s *ocppclient.Session) {
	changed, stop := w.db.Wake(s.StationID())
	defer stop()
	w.awaitStatuses(ctx, s.StationID(), changed)
	c := w.controller()
	for ctx.Err() == nil {
		err := c.Run(ctx, s.StationID(), s.Connection(), patient{s}, changed)
		if err == nil || errors.Is(err, reservation.ErrOldConnection) {
			continue
		}
		w.log.Error("the loop beside a station failed; it goes on shortly", "station", s.StationID(), "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
	}
}

// awaitStatuses stands for the quiet period at simulated stations, which is
// short: a first status that came behind the answer to a reservation would look
// as if the reservation were lost. On a busy machine that happens.
func (w *workplace) awaitStatuses(ctx context.Context, station string, changed <-chan struct{}) {
	patience := time.After(w.Settings.Patience)
	for ctx.Err() == nil {
		book, err := w.db.Book(ctx, station, w.Now())
		if err != nil || len(book.Station.Connectors) >= w.connectors[station] {
			return
		}
		select {
		case <-changed:
		case <-patience:
			return
		case <-ctx.Done():
		}
	}
}

func (w *workplace) controller() *reconcile.Controller {
	return &reconcile.Controller{Journal: w.db, Settings: w.Settings, Now: w.Now}
}

// patient waits for the answer to a call that has left, whatever ends: only
// then it is known what the station holds.
type patient struct{ *ocppclient.Session }

func (p patient) Call(ctx context.Context, id int32, c reservation.Call) reservation.Answer {
	if ctx.Err() != nil {
		return reservation.Answer{Outcome: reservation.AnswerNotSent, Info: "given up before it was sent"}
	}
	return p.Session.Call(context.WithoutCancel(ctx), id, c)
}

// Close gives everything back.
func (w *workplace) Close() error {
	var errs []error
	if w.listener != nil {
		if err := w.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
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
