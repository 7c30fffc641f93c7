internal import LinuxSystem

public enum AppArmor {
    public static var isEnabled: Bool {
        (try? Files.readString("/sys/module/apparmor/parameters/enabled"))?.hasPrefix("Y") ?? false
    }
}
