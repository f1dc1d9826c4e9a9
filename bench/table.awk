# Makes a table of what the benchmarks report.
BEGIN {
	row("what", "unit", "ours", "limit", "ratio", "", "wanted")
	unit["Apply"] = "per s"; unit["Growth"] = "us"; unit["Fit"] = "ms"; unit["Plan"] = "ms"; unit["Proposal"] = "ms"; unit["Terraform"] = "ms"; unit["Start"] = "ms"
	unit["Idle"] = "bytes"; unit["Processor"] = "ms/min"; unit["Windows"] = "ms"; unit["Reconnect"] = "ms"; unit["Heal"] = "us"
}
function row(what, u, ours, limit, ratio, relation, wanted) {
	printf "%-26s %-6s %10s %10s %8s %2s %6s\n", what, u, ours, limit, ratio, relation, wanted
}
/^Benchmark/ {
	for (i = 3; i < NF; i += 2) v[$(i + 1)] = $i
	name = $1
	sub(/^Benchmark/, "", name)
	sub(/-[0-9]+$/, "", name)
	first = name
	sub(/\/.*/, "", first)
	row(name, unit[first], v["ours"], v["limit"], v["ratio"], first == "Apply" ? ">=" : "<=", v["wanted"] + 0)
	next
}
/FAIL|_test.go/ { print; failed = 1 }
END { exit failed }
