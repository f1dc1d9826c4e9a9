package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// fakeForge stands for the APIs of GitHub and GitLab, as far as pipelines use them: it
// answers as they are documented to, and lets nobody do what the job has no
// permission for.
type fakeForge struct {
	mu        sync.Mutex
	jobs      map[string]any // of the workflow, for their permissions
	Comments  []remark
	Statuses  []status // the newest first, as GitHub lists them
	Pulls     []map[string]any
	artifacts map[string]string
}

// remark is a comment or note, in the words of both.
type remark struct {
	ID     int            `json:"id"`
	Body   string         `json:"body"`
	User   map[string]any `json:"user"`   // GitHub
	Author map[string]any `json:"author"` // GitLab
}

// status is one of a commit.
type status struct {
	SHA         string         `json:"sha"`
	State       string         `json:"state"`
	Context     string         `json:"context"`
	Description string         `json:"description"`
	TargetURL   string         `json:"target_url"`
	Creator     map[string]any `json:"creator"`
}

type forgeKey struct{}

func theForge(ts *testscript.TestScript) *fakeForge { return ts.Value(forgeKey{}).(*fakeForge) }

// forge: it begins, at $FORGE. forge FILE: what it has is in the file then. forge
// pull JSON: there is such a pull request. forge comment LOGIN ID TEXT, forge
// status LOGIN SHA CONTEXT FILE: somebody wrote that.
func forge(ts *testscript.TestScript, _ bool, args []string) {
	f := theForge(ts)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case len(args) == 0:
		f.jobs = object(decodeYAML(ts, ts.ReadFile(".github/workflows/resctl.yml"))["jobs"])
		s := httptest.NewServer(f.handler())
		ts.Defer(s.Close)
		ts.Setenv("FORGE", s.URL)
	case args[0] == "pull":
		p := map[string]any{}
		ts.Check(json.Unmarshal([]byte(args[1]), &p))
		f.Pulls = append(f.Pulls, p)
	case args[0] == "comment":
		id, _ := strconv.Atoi(args[2])
		f.Comments = append(f.Comments, remark{len(f.Comments) + 1, args[3], map[string]any{"login": args[1]}, map[string]any{"id": id}})
	case args[0] == "status":
		f.Statuses = slices.Insert(f.Statuses, 0, status{args[2], "success", args[3], ts.ReadFile(args[4]), "", map[string]any{"login": args[1]}})
	default:
		b, err := json.MarshalIndent(f, "", "  ")
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
	}
}

// keep takes an artifact of a job.
func (f *fakeForge) keep(ref, job, path, content string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.artifacts[ref+" "+job+" "+path] = content
}

func (f *fakeForge) handler() http.Handler {
	mux := http.NewServeMux()
	on := func(pattern, permission string, answer func(r *http.Request, body map[string]any) any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			f.mu.Lock()
			defer f.mu.Unlock()
			if !f.permits(r, permission) {
				http.Error(w, `{"message":"Resource not accessible by integration"}`, http.StatusForbidden)
				return
			}
			body := map[string]any{}
			if b, err := io.ReadAll(r.Body); err != nil || len(b) > 0 && json.Unmarshal(b, &body) != nil {
				http.Error(w, `{"message":"Problems parsing JSON"}`, http.StatusBadRequest)
				return
			}
			out := answer(r, body)
			if s, isText := out.(string); isText {
				_, _ = io.WriteString(w, s)
			} else if out == nil {
				http.Error(w, `{"message":"404 Not Found"}`, http.StatusNotFound)
			} else {
				_ = json.NewEncoder(w).Encode(out)
			}
		})
	}
	f.gitHub(on)
	f.gitLab(on)
	return mux
}

type route = func(pattern, permission string, answer func(r *http.Request, body map[string]any) any)

func (f *fakeForge) gitHub(on route) {
	bot := map[string]any{"login": "github-actions[bot]"}
	on("GET /repos/{owner}/{name}/issues/{n}/comments", "pull-requests: read", func(r *http.Request, _ map[string]any) any { return f.page(r) })
	on("POST /repos/{owner}/{name}/issues/{n}/comments", "pull-requests: write", func(_ *http.Request, body map[string]any) any {
		return f.write(remark{User: bot, Body: text(body["body"])})
	})
	on("PATCH /repos/{owner}/{name}/issues/comments/{id}", "pull-requests: write", func(r *http.Request, body map[string]any) any { return f.rewrite(r, body) })
	on("POST /repos/{owner}/{name}/statuses/{sha}", "statuses: write", func(r *http.Request, b map[string]any) any {
		s := status{r.PathValue("sha"), text(b["state"]), text(b["context"]), text(b["description"]), text(b["target_url"]), bot}
		if len(s.Description) > 140 || s.SHA == "" {
			return nil
		}
		f.Statuses = slices.Insert(f.Statuses, 0, s)
		return s
	})
	on("GET /repos/{owner}/{name}/commits/{sha}/statuses", "statuses: read", func(r *http.Request, _ map[string]any) any {
		of := []status{}
		for _, s := range f.Statuses {
			if s.SHA == r.PathValue("sha") {
				of = append(of, s)
			}
		}
		return of
	})
	on("GET /repos/{owner}/{name}/commits/{sha}/pulls", "pull-requests: read", func(*http.Request, map[string]any) any { return f.Pulls })
}

func (f *fakeForge) gitLab(on route) {
	const project = " /projects/{project}/"
	me := map[string]any{"id": 7}
	on("GET /user", "api", func(*http.Request, map[string]any) any { return me })
	on("GET"+project+"merge_requests/{n}/notes", "api", func(r *http.Request, _ map[string]any) any { return f.page(r) })
	on("POST"+project+"merge_requests/{n}/notes", "api", func(_ *http.Request, body map[string]any) any {
		return f.write(remark{Author: me, Body: text(body["body"])})
	})
	on("PUT"+project+"merge_requests/{n}/notes/{id}", "api", func(r *http.Request, body map[string]any) any { return f.rewrite(r, body) })
	on("GET"+project+"repository/commits/{sha}/merge_requests", "api", func(*http.Request, map[string]any) any { return f.Pulls })
	on("GET"+project+"jobs/artifacts/{ref}/raw/{path}", "api", func(r *http.Request, _ map[string]any) any {
		if a, ok := f.artifacts[r.PathValue("ref")+" "+r.URL.Query().Get("job")+" "+r.PathValue("path")]; ok {
			return a
		}
		return nil
	})
}

// permits holds a request against what its job may do.
func (f *fakeForge) permits(r *http.Request, permission string) bool {
	if permission == "api" {
		return r.Header.Get("PRIVATE-TOKEN") == "gitlab-token"
	}
	job, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer github-")
	what, level, _ := strings.Cut(permission, ": ")
	has := text(object(object(f.jobs[job])["permissions"])[what])
	return ok && (has == level || has == "write")
}

func (f *fakeForge) write(c remark) remark {
	c.ID = len(f.Comments) + 1
	f.Comments = append(f.Comments, c)
	return c
}

func (f *fakeForge) rewrite(r *http.Request, body map[string]any) any {
	for i := range f.Comments {
		if fmt.Sprint(f.Comments[i].ID) == r.PathValue("id") {
			f.Comments[i].Body = text(body["body"])
			return f.Comments[i]
		}
	}
	return nil
}

// page gives a page of comments, the oldest first.
func (f *fakeForge) page(r *http.Request) []remark {
	size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	from := min((n-1)*size, len(f.Comments))
	return f.Comments[from:min(from+size, len(f.Comments))]
}
