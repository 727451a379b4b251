//! GPUs of machines that are not here.

use super::{Fake, from, why};

const STRIX_HALO: &str = include_str!("../data/linux/amdgpu-strix-halo.txt");
const PHOENIX: &str = include_str!("../data/linux/amdgpu-phoenix-hwmon.txt");

/// The lines `name value` of a capture as files of `dir`.
fn write_capture(fake: &Fake, dir: &str, text: &str) {
    for line in text.lines() {
        let (name, value) = line.split_once(' ').unwrap();
        fake.write(&format!("{dir}/{name}"), format!("{value}\n"));
    }
}

#[test]
fn on_strix_halo_gpu_memory_is_vram_and_gtt_together() {
    let fake = Fake::new();
    let device = "sys/class/drm/card1/device";
    write_capture(&fake, device, STRIX_HALO);
    fake.write(&format!("{device}/uevent"), "DRIVER=amdgpu\nPCI_ID=1002:1586\n")
        .write(&format!("{device}/mem_info_vram_used"), "500000000\n")
        .write(&format!("{device}/mem_info_gtt_used"), "64000000000\n")
        .write(&format!("{device}/gpu_busy_percent"), "97\n")
        .write(&format!("{device}/hwmon/hwmon5/power1_input"), "85042000\n")
        .write(&format!("{device}/hwmon/hwmon5/temp1_input"), "71000\n")
        .write(&format!("{device}/hwmon/hwmon5/freq1_input"), "2900000000\n")
        .write("sys/class/drm/card1-DP-1/status", "connected\n")
        .write("sys/class/drm/renderD128/dev", "226:128\n");

    let mut machine = fake.open();
    let profile = &machine.profile().gpus[0];
    assert_eq!(profile.name, "AMD GPU 1002:1586");
    assert_eq!(profile.driver.as_deref(), Some("amdgpu"));
    assert_eq!(profile.memory_total_bytes, Some(4_294_967_296 + 103_079_215_104));
    assert!(from(&machine, "gpu_mem_used_gb").contains("gtt"));
    assert_eq!(from(&machine, "gpu_power_w"), "card1 power1_input");

    let reading = machine.read();
    assert_eq!(reading.gpus.len(), 1);
    let gpu = &reading.gpus[0];
    assert_eq!(gpu.device_util_pct, Some(97.0));
    assert_eq!(gpu.mem_used_bytes, Some(64_500_000_000));
    assert_eq!(gpu.mem_total_bytes, Some(107_374_182_400));
    assert_eq!(gpu.power_w, Some(85.042));
    assert_eq!(gpu.temp_c, Some(71.0));
    assert_eq!(gpu.freq_mhz, Some(2_900.0));
    assert_eq!(gpu.renderer_util_pct, None);
}

#[test]
fn on_phoenix_average_power_is_preferred_and_missing_files_are_named() {
    let fake = Fake::new();
    let device = "sys/class/drm/card0/device";
    write_capture(&fake, &format!("{device}/hwmon/hwmon2"), PHOENIX);
    fake.write(&format!("{device}/uevent"), "DRIVER=amdgpu\n");

    let mut machine = fake.open();
    let gpu = &machine.read().gpus[0];
    assert_eq!(gpu.power_w, Some(3.103));
    assert_eq!(gpu.device_util_pct, None);
    assert_eq!(gpu.mem_used_bytes, None);
    assert!(why(&machine, "gpu_device_util").contains("gpu_busy_percent"));
    assert!(why(&machine, "gpu_mem_used_gb").contains("mem_info_vram_used"));
}

#[test]
fn a_card_with_its_own_memory_does_not_count_gtt() {
    let fake = Fake::new();
    let device = "sys/class/drm/card0/device";
    fake.write(&format!("{device}/uevent"), "DRIVER=amdgpu\nPCI_ID=1002:744C\n")
        .write(&format!("{device}/mem_info_vram_total"), "25753026560\n")
        .write(&format!("{device}/mem_info_vram_used"), "20000000000\n")
        .write(&format!("{device}/mem_info_gtt_total"), "67460694016\n")
        .write(&format!("{device}/mem_info_gtt_used"), "300000000\n")
        .write(&format!("{device}/product_name"), "Radeon RX 7900 XTX\n");
    let mut machine = fake.open();
    let gpu = &machine.read().gpus[0];
    assert_eq!(&*gpu.name, "Radeon RX 7900 XTX");
    assert_eq!(gpu.mem_used_bytes, Some(20_000_000_000));
    assert_eq!(gpu.mem_total_bytes, Some(25_753_026_560));
}

#[test]
fn gpus_of_other_makers_are_named_and_not_read() {
    let fake = Fake::new();
    fake.write("sys/class/drm/card0/device/uevent", "DRIVER=xe\nPCI_ID=8086:E20B\n");
    let mut machine = fake.open();
    assert_eq!(machine.profile().gpus[0].driver.as_deref(), Some("xe"));
    assert!(machine.read().gpus.is_empty());
    assert!(why(&machine, "gpu_device_util").contains("card0: xe is not read"));
}

#[test]
fn a_gb10_gives_all_but_memory_which_it_shares_with_the_cpu() {
    let fake = Fake::new();
    fake.write("nvml.csv", include_str!("../data/linux/nvidia-gb10-query.txt"));
    let mut machine = fake.open();
    let reading = machine.read();
    let [gpu] = &reading.gpus[..] else { panic!("one GPU") };
    assert_eq!(
        (gpu.device_util_pct, gpu.power_w, gpu.temp_c),
        (Some(0.0), Some(11.17), Some(35.0))
    );
    assert_eq!((gpu.mem_used_bytes, gpu.mem_total_bytes), (None, None));
    assert!(why(&machine, "gpu_mem_used_gb").contains("N/A"));
    assert!(from(&machine, "gpu_device_util").contains("NVML"));
}

#[test]
fn several_gpus_of_two_makers_are_all_read() {
    let fake = Fake::new();
    fake.write(
        "nvml.csv",
        "name, utilization.gpu [%], memory.used [MiB], memory.total [MiB]\n\
         RTX 4090, 50 %, 1000 MiB, 24564 MiB\nRTX 3090, 7 %, 2000 MiB, 24576 MiB\n",
    )
    .write("sys/class/drm/card0/device/uevent", "DRIVER=nvidia\n")
    .write("sys/class/drm/card1/device/uevent", "DRIVER=nvidia\n")
    .write("sys/class/drm/card2/device/uevent", "DRIVER=amdgpu\n")
    .write("sys/class/drm/card2/device/gpu_busy_percent", "3\n");
    let mut machine = fake.open();
    let utils: Vec<_> = machine.read().gpus.iter().map(|gpu| gpu.device_util_pct).collect();
    assert_eq!(utils, [Some(50.0), Some(7.0), Some(3.0)]);
    let names: Vec<_> = machine.profile().gpus.iter().map(|gpu| gpu.name.as_str()).collect();
    assert_eq!(names, ["RTX 4090", "RTX 3090", "AMD GPU card2"]);
}
