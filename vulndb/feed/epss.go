package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// epssLine bounds a line in bytes.
const epssLine = 4 << 10

// parseEPSS reads FIRST's scores (https://www.first.org/epss/data_stats):
//
//	#model_version:v2025.03.14,score_date:2026-11-27T00:00:00Z
//	cve,epss,percentile
//	CVE-2021-44228,0.94358,0.99957
//
// Columns may follow, and a byte order mark may come first. It is strict, as
// parseKEV is; a last line that does not end is one that was cut off.
func parseEPSS(r io.Reader) (*vulndb.List, time.Time, error) {
	in := bufio.NewReaderSize(r, epssLine)
	n := 0
	next := func() ([]byte, error) {
		n++
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("line %d: it has over %d bytes", n, epssLine)
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, fmt.Errorf("line %d: it is cut off", n)
		case errors.Is(err, io.EOF):
			return nil, err
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		return bytes.TrimSuffix(line[:len(line)-1], []byte{'\r'}), nil
	}
	head, err := next()
	if err != nil {
		return nil, time.Time{}, cutOff(err)
	}
	asOf, err := scoreDate(string(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))))
	if err != nil {
		return nil, time.Time{}, err
	}
	names, err := next()
	if err != nil {
		return nil, time.Time{}, cutOff(err)
	}
	const columns = "cve,epss,percentile"
	if s := string(names); s != columns && !strings.HasPrefix(s, columns+",") {
		return nil, time.Time{}, fmt.Errorf("line 2 does not begin with %s", columns)
	}
	commas := bytes.Count(names, []byte{','})
	list := vulndb.NewList(vulndb.FeedEPSS)
	for {
		line, err := next()
		if errors.Is(err, io.EOF) {
			return list, asOf, nil
		}
		if err != nil {
			return nil, time.Time{}, err
		}
		if err := epssRow(list, string(line), commas); err != nil {
			return nil, time.Time{}, fmt.Errorf("line %d: %w", n, err)
		}
	}
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("it ends before its first score")
	}
	return err
}

// scoreDate reads the first line.
func scoreDate(line string) (time.Time, error) {
	rest, ok := strings.CutPrefix(line, "#")
	if ok {
		for field := range strings.SplitSeq(rest, ",") {
			value, ok := strings.CutPrefix(field, "score_date:")
			if !ok {
				continue
			}
			for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05-0700", time.DateOnly} {
				if t, err := time.Parse(layout, value); err == nil {
					return t.UTC(), nil
				}
			}
			return time.Time{}, fmt.Errorf("score_date: %.40q is no time such as 2026-11-27T00:00:00Z", value)
		}
	}
	return time.Time{}, errors.New("line 1 does not say the date of the scores, as in #model_version:v2025.03.14,score_date:2026-11-27T00:00:00Z")
}

func epssRow(list *vulndb.List, line string, commas int) error {
	if strings.Count(line, ",") != commas {
		return fmt.Errorf("%d fields, not %d", strings.Count(line, ",")+1, commas+1)
	}
	fields := strings.SplitN(line, ",", 4)
	epss, err := share(fields[1])
	if err != nil {
		return err
	}
	percentile, err := share(fields[2])
	if err != nil {
		return err
	}
	return list.AddScore(fields[0], vulndb.Score{EPSS: epss, Percentile: percentile})
}

// share reads a decimal number; its range is checked where it is kept.
func share(s string) (float64, error) {
	if s == "" || len(s) > 32 || strings.Trim(s, "0123456789.eE+-") != "" {
		return 0, fmt.Errorf("%.40q is no number", s)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("%.40q is no number", s)
	}
	return f, nil
}
