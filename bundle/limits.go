package bundle

// Limits bounds what an artifact can make the program do. A zero or negative
// field means the default in its comment; there is no "unlimited". A limit that
// is reached is a Notice of kind NoticeLimit that names the field.
type Limits struct {
	MaxArtifactBytes  int64 // size of a zip, Java archive or executable as shipped; 2 GiB. More is an error of Open
	MaxStdinBytes     int64 // the same for standard input, which is held in memory; 512 MiB
	MaxEntries        int   // entries of one artifact; 500,000. The rest is not listed
	MaxDirectoryBytes int64 // size of a zip's central directory; 256 MiB. More is an error of Open
	MaxNameBytes      int   // length of one path; 4,096 as PATH_MAX of Linux. A longer one is shortened
	MaxPathDepth      int   // elements of one path; 256. A deeper one is shortened
	MaxFileBytes      int64 // one file after decompression, counted while it is read; 512 MiB
	MaxTotalBytes     int64 // all files of one artifact after decompression: for each the longest run that was read, so reading twice counts once; 4 GiB
	MaxRatio          int64 // inflated to packed bytes of one file, once it is over RatioGrace; 200
	RatioGrace        int64 // bytes of one file for which no ratio is asked; 16 MiB
	MaxLinkDepth      int   // symbolic links followed for one name; 40 as Linux does
	MaxLinks          int   // links that are checked for escapes and loops when an artifact is opened; 20,000
	MaxCopies         int   // earlier copies of one name that are kept; 8
	MaxNotices        int   // notices of one kind kept one by one; 1,000. The rest is one notice with their number
}

// withDefaults returns l with every field set.
func (l Limits) withDefaults() Limits {
	set64 := func(p *int64, v int64) {
		if *p <= 0 {
			*p = v
		}
	}
	set := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	set64(&l.MaxArtifactBytes, 2<<30)
	set64(&l.MaxStdinBytes, 512<<20)
	set(&l.MaxEntries, 500_000)
	set64(&l.MaxDirectoryBytes, 256<<20)
	set(&l.MaxNameBytes, 4096)
	set(&l.MaxPathDepth, 256)
	set64(&l.MaxFileBytes, 512<<20)
	set64(&l.MaxTotalBytes, 4<<30)
	set64(&l.MaxRatio, 200)
	set64(&l.RatioGrace, 16<<20)
	set(&l.MaxLinkDepth, 40)
	set(&l.MaxLinks, 20_000)
	set(&l.MaxCopies, 8)
	set(&l.MaxNotices, 1000)
	return l
}
