internal import CSeccomp

/// The architectures whose system calls a process of this machine can make.
enum SeccompArchitecture {
    /// As OCI and Docker profiles name them.
    static var ownNames: [String] {
        #if arch(x86_64)
            ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
        #elseif arch(arm64)
            ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
        #endif
    }

    static func token(_ name: String) -> UInt32? {
        switch name {
        case "SCMP_ARCH_X86_64": 0xc000_003e
        case "SCMP_ARCH_X86": 0x4000_0003
        case "SCMP_ARCH_X32": 0x4000_003e
        case "SCMP_ARCH_AARCH64": 0xc000_00b7
        case "SCMP_ARCH_ARM": 0x4000_0028
        case "SCMP_ARCH_NATIVE": UInt32(SCMP_ARCH_NATIVE)
        default: nil
        }
    }
}

/// System calls that the libseccomp that is linked may be too old for. From 424 on a call has the same number everywhere.
enum NewSystemCalls {
    /// From the first number that Debian 12's libseccomp does not know to ARM's private calls; beyond these, from
    /// 0x40000000, are the x32 forms of the others.
    static let range: Range<Int32> = 451..<0x000f_0000
    static let numbers: [String: UInt32] = [
        "cachestat": 451, "fchmodat2": 452, "map_shadow_stack": 453, "futex_wake": 454, "futex_wait": 455,
        "futex_requeue": 456, "statmount": 457, "listmount": 458, "lsm_get_self_attr": 459, "lsm_set_self_attr": 460,
        "lsm_list_modules": 461, "mseal": 462, "setxattrat": 463, "getxattrat": 464, "listxattrat": 465,
        "removexattrat": 466, "open_tree_attr": 467,
    ]
}
