package reach

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// filtered says how the kernel calls the processors for which the filter is
// written (linux/audit.h). On others there is none: the other limits hold.
func filtered() (arch uint32, ok bool) {
	switch runtime.GOARCH {
	case "amd64":
		return unix.AUDIT_ARCH_X86_64, true
	case "arm64":
		return unix.AUDIT_ARCH_AARCH64, true
	}
	return 0, false
}

// forbidden are the system calls that reading a binary never needs: starting
// programs, sockets of any kind, looking into or signalling other processes,
// and what has been a way around such a list (io_uring opens sockets without
// socket(2); the kernel's own programs and keys; file systems). The list names
// what is refused and not what is allowed, because Go's runtime gains calls
// from release to release, and a child that dies of one is a check that failed.
func forbidden() []uint32 {
	return []uint32{
		unix.SYS_EXECVE, unix.SYS_EXECVEAT,
		unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_ACCEPT4,
		unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_SENDMMSG,
		unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
		unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD, unix.SYS_PIDFD_SEND_SIGNAL,
		unix.SYS_KILL, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD,
		unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
		unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_UNSHARE, unix.SYS_SETNS,
		unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_KEXEC_LOAD,
	}
}

// x32 is the bit of system call numbers of amd64's other ABI, which has
// numbers of its own for some of the forbidden calls.
const x32 = 0x40000000

// filter is the program that the kernel runs for each system call (seccomp(2),
// struct seccomp_data: number at 0, processor at 4).
func filter(arch uint32, calls []uint32) []unix.SockFilter {
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		from  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		end   = unix.BPF_RET | unix.BPF_K
	)
	refuse := uint32(unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM))
	prog := []unix.SockFilter{
		{Code: load, K: 4},
		{Code: equal, Jt: 1, K: arch},
		{Code: end, K: unix.SECCOMP_RET_KILL_PROCESS},
		{Code: load, K: 0},
		{Code: from, Jf: 1, K: x32},
		{Code: end, K: refuse},
	}
	for _, c := range calls {
		prog = append(prog, unix.SockFilter{Code: equal, Jf: 1, K: c}, unix.SockFilter{Code: end, K: refuse})
	}
	return append(prog, unix.SockFilter{Code: end, K: unix.SECCOMP_RET_ALLOW})
}

// forbid makes the kernel refuse the forbidden calls to every thread of the
// process for the rest of its life. A kernel or sandbox without filters is no
// error: the process then has only the other limits.
func forbid() error {
	arch, ok := filtered()
	if !ok {
		return nil
	}
	// The flag TSYNC gives all threads the filter, and with it the calling
	// thread's promise to gain no privileges.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	list := filter(arch, forbidden())
	prog := unix.SockFprog{Len: uint16(len(list)), Filter: &list[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(list)
	switch {
	case errno == 0, errors.Is(errno, unix.ENOSYS), errors.Is(errno, unix.EINVAL):
		return nil
	}
	return fmt.Errorf("forbid system calls: %w", errno)
}
