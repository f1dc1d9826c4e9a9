package state

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// declare proposes n windows at one station, the first open, the others ahead.
func declare(t testing.TB, db *DB, workspace, station string, n int) []*reservation.Wanted {
	t.Helper()
	set := reservation.Changeset{Workspace: workspace}
	var all []*reservation.Wanted
	for i := range n {
		w := statetest.Want(workspace, fmt.Sprintf("reservation.van[%05d]", i), station, 1, time.Now().Add(time.Duration(i)*2*time.Hour))
		set.Events = append(set.Events, statetest.Declare(nil, w))
		all = append(all, w)
	}
	if _, err := db.Update(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	return all
}

// BenchmarkAppend stores a status that changes, at a station with few and with
// many declared windows, and by many callers at once for a station each.
func BenchmarkAppend(b *testing.B) {
	for _, windows := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("windows=%d", windows), func(b *testing.B) {
			db := mustOpen(b, Options{})
			declare(b, db, "w", "S", windows)
			for i := 0; b.Loop(); i++ {
				appendStatus(b, db, "S", i)
			}
		})
		b.Run(fmt.Sprintf("parallel/windows=%d", windows), func(b *testing.B) {
			db := mustOpen(b, Options{})
			const stations = 64
			for s := range stations {
				declare(b, db, fmt.Sprint("w", s), fmt.Sprint("S", s), windows/stations+10)
			}
			declare(b, db, "w", "S", windows)
			var next atomic.Int64
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				station := fmt.Sprint("S", next.Add(1)%stations)
				for i := 0; pb.Next(); i++ {
					appendStatus(b, db, station, i)
				}
			})
		})
	}
}

func appendStatus(b *testing.B, db *DB, station string, i int) {
	status := []reservation.EVSEStatus{reservation.Available, reservation.Occupied}[i%2]
	if _, err := db.Append(b.Context(), statetest.Report(station, 1, status)); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCycle is what a loop does: read the book, ask, record the answer.
func BenchmarkCycle(b *testing.B) {
	for _, windows := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("windows=%d", windows), func(b *testing.B) {
			db := mustOpen(b, Options{})
			w := declare(b, db, "w", "S", windows)[0]
			e, err := db.Append(b.Context(), statetest.Connect("S"))
			if err != nil {
				b.Fatal(err)
			}
			var id int32
			for b.Loop() {
				if _, err := db.Book(b.Context(), "S", time.Now()); err != nil {
					b.Fatal(err)
				}
				r, err := db.Append(b.Context(), statetest.Request(w, e[0].Connection, id))
				if err != nil {
					b.Fatal(err)
				}
				id = r[0].ReservationID
				if _, err := db.Append(b.Context(), statetest.Answer(w, e[0].Connection, id, reservation.AnswerNone)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLoad assembles a loop's book that is not in memory.
func BenchmarkLoad(b *testing.B) {
	for _, windows := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("windows=%d", windows), func(b *testing.B) {
			db := mustOpen(b, Options{})
			declare(b, db, "w", "S", windows)
			for b.Loop() {
				db.cache.clear()
				if _, err := db.Book(b.Context(), "S", time.Now()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLoadTogether is what 1,000 books cost that are asked for at once.
func BenchmarkLoadTogether(b *testing.B) {
	const stations = 1000
	db := mustOpen(b, Options{})
	if _, err := db.Update(b.Context(), fleet(10*stations)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		db.cache.clear()
		var all sync.WaitGroup
		for i := range stations {
			all.Go(func() {
				if _, err := db.Book(b.Context(), fmt.Sprintf("S%05d", i), time.Now()); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
	}
}

// fleet is a first proposal of n windows, ten per station.
func fleet(n int) reservation.Changeset {
	set := reservation.Changeset{Workspace: "w"}
	for i := range n {
		w := statetest.Want("w", fmt.Sprintf("reservation.van[%06d]", i), fmt.Sprintf("S%05d", i/10), 1+i%10, time.Now().Add(time.Duration(i%7)*24*time.Hour))
		set.Events = append(set.Events, statetest.Declare(nil, w))
	}
	return set
}

// BenchmarkUpdate stores a first proposal; the rows alone are what it writes,
// inserted again into a state that has none.
func BenchmarkUpdate(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			set := fleet(n)
			for b.Loop() {
				b.StopTimer()
				db := mustOpen(b, Options{})
				b.StartTimer()
				if _, err := db.Update(b.Context(), set); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("rows/n=%d", n), func(b *testing.B) {
			set := fleet(n)
			for b.Loop() {
				b.StopTimer()
				db := mustOpen(b, Options{})
				p, err := db.derive(b.Context(), set)
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				err = db.w.exclusive(b.Context(), func(c *conn) error {
					_, err := p.rows.writeStations(c)
					if err == nil {
						_, err = p.rows.write(c, 0)
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEntries lists a fleet of 100,000 windows.
func BenchmarkEntries(b *testing.B) {
	db := mustOpen(b, Options{})
	if _, err := db.Update(b.Context(), fleet(100_000)); err != nil {
		b.Fatal(err)
	}
	for _, workspace := range []string{"w", "all"} {
		b.Run("workspace="+workspace, func(b *testing.B) {
			for b.Loop() {
				if all, err := db.Entries(b.Context(), map[string]string{"w": "w"}[workspace]); err != nil || len(all) != 100_000 {
					b.Fatal(len(all), err)
				}
			}
		})
	}
}

// BenchmarkCheckpoint keeps the books of 100,000 windows: all of them, and then
// what has changed, which is one in a hundred.
func BenchmarkCheckpoint(b *testing.B) {
	db := mustOpen(b, Options{})
	if _, err := db.Update(b.Context(), fleet(100_000)); err != nil {
		b.Fatal(err)
	}
	drop := func(b *testing.B, from string) {
		b.StopTimer()
		err := db.w.exclusive(b.Context(), func(c *conn) error {
			_, err := c.exec(from)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	for name, text := range map[string]string{"all": "DELETE FROM snapshot", "changed": "DELETE FROM snapshot WHERE rowid % 100 = 0"} {
		b.Run(name, func(b *testing.B) {
			checkpointAt(b, db, time.Now())
			b.ResetTimer()
			for b.Loop() {
				drop(b, text)
				checkpointAt(b, db, time.Now())
			}
		})
	}
}
