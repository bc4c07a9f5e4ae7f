// Package night judges stored reports again: it reads them, has each function
// judged by what its report records, and says what differs and why.
package night
