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
	MaxRatio          int64 // inflated to packed bytes of one file or image layer, once it is over RatioGrace; 200
	RatioGrace        int64 // bytes of one file or image layer for which no ratio is asked; 16 MiB
	MaxLinkDepth      int   // symbolic links followed for one name; 40 as Linux does
	MaxLinks          int   // links that are checked for escapes and loops when an artifact is opened; 20,000
	MaxCopies         int   // earlier copies of one name that are kept; 8
	MaxImageBytes     int64 // size of an image archive as shipped, and of one layer in it; 10 GiB. More is an error of Open
	MaxManifestBytes  int64 // one index or manifest of an image; 4 MiB, which is what registries take
	MaxConfigBytes    int64 // the configuration of an image; 8 MiB
	MaxManifests      int   // indexes and manifests that are read to choose an image; 256
	MaxImageLayers    int   // layers of one image; 1,000. More is an error of Open
	MaxLayerBytes     int64 // one layer of an image after decompression; 8 GiB. The rest is not listed
	MaxLayersBytes    int64 // all layers of an image after decompression; 10 GiB, as AWS Lambda takes
	MaxPathBytes      int64 // the paths and links of an image together; 64 MiB. The rest is not listed
	MaxKeptBytes      int64 // contents of compressed layers that are kept in memory, as they are kept; 32 MiB
	MaxRereadBytes    int64 // bytes of compressed layers that are inflated again, for files that were not kept; 16 GiB
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
	set64(&l.MaxImageBytes, 10<<30)
	set64(&l.MaxManifestBytes, 4<<20)
	set64(&l.MaxConfigBytes, 8<<20)
	set(&l.MaxManifests, 256)
	set(&l.MaxImageLayers, 1000)
	set64(&l.MaxLayerBytes, 8<<30)
	set64(&l.MaxLayersBytes, 10<<30)
	set64(&l.MaxPathBytes, 64<<20)
	set64(&l.MaxKeptBytes, 32<<20)
	set64(&l.MaxRereadBytes, 16<<30)
	set(&l.MaxNotices, 1000)
	return l
}
