"""The public priors of the catalog as their repositories' config.json and scheduler_config.json describe them."""

_SIX = (128, 128, 256, 256, 512, 512)
_DDPM = {
    "_class_name": "UNet2DModel", "act_fn": "silu", "attention_head_dim": None, "block_out_channels": _SIX,
    "center_input_sample": False, "downsample_padding": 0, "flip_sin_to_cos": False, "freq_shift": 1,
    "down_block_types": ("DownBlock2D",) * 4 + ("AttnDownBlock2D", "DownBlock2D"), "in_channels": 3,
    "up_block_types": ("UpBlock2D", "AttnUpBlock2D") + ("UpBlock2D",) * 4, "layers_per_block": 2,
    "mid_block_scale_factor": 1, "norm_eps": 1e-6, "norm_num_groups": 32, "out_channels": 3, "sample_size": 256,
    "time_embedding_type": "positional",
}  # fmt: skip
_LINEAR = {
    "_class_name": "DDPMScheduler", "beta_end": 0.02, "beta_schedule": "linear", "beta_start": 0.0001,
    "clip_sample": True, "num_train_timesteps": 1000, "trained_betas": None, "variance_type": "fixed_small",
}  # fmt: skip
_CIFAR = {
    **_DDPM, "block_out_channels": (128, 256, 256, 256), "sample_size": 32,
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
}  # fmt: skip
_ADM = {
    "_class_name": "UNet2DModel", "act_fn": "silu", "attention_head_dim": 64, "attention_legacy_order": True,
    "block_out_channels": (256, 256, 512, 512, 1024, 1024), "center_input_sample": False,
    "down_block_types": ("ResnetDownsampleBlock2D",) * 3 + ("AttnDownBlock2D",) * 3,
    "up_block_types": ("AttnUpBlock2D",) * 3 + ("ResnetUpsampleBlock2D",) * 3, "downsample_type": "resnet",
    "upsample_type": "resnet", "resnet_time_scale_shift": "scale_shift", "attn_norm_num_groups": 32,
    "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 3, "layers_per_block": 2, "mid_block_scale_factor": 1,
    "norm_eps": 1e-5, "norm_num_groups": 32, "out_channels": 6, "sample_size": 256, "time_embedding_type": "adm",
}  # fmt: skip
_TEXT_TO_IMAGE = {
    "_class_name": "UNet2DConditionModel", "act_fn": "silu", "attention_head_dim": (5, 10, 20, 20),
    "block_out_channels": (320, 640, 1280, 1280), "center_input_sample": False, "cross_attention_dim": 1024,
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",), "downsample_padding": 1,
    "dual_cross_attention": False, "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 4, "layers_per_block": 2,
    "mid_block_scale_factor": 1, "norm_eps": 1e-5, "norm_num_groups": 32, "out_channels": 4, "sample_size": 64,
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3, "use_linear_projection": True,
}  # fmt: skip
_VAE = {
    "_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": (128, 256, 512, 512), "in_channels": 3,
    "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 4, "layers_per_block": 2, "norm_num_groups": 32, "out_channels": 3, "sample_size": 512,
}  # fmt: skip
_SCALED_LINEAR = {
    "_class_name": "PNDMScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
    "clip_sample": False, "num_train_timesteps": 1000, "set_alpha_to_one": False, "skip_prk_steps": True,
    "steps_offset": 1, "trained_betas": None,
}  # fmt: skip
_STABLE_DIFFUSION = {"unet/config.json": _TEXT_TO_IMAGE, "vae/config.json": _VAE,
                     "scheduler/scheduler_config.json": _SCALED_LINEAR}  # fmt: skip

_OF_DDPM = (
    "ddpm-cat-256", "ddpm-celebahq-256", "ddpm-church-256", "ddpm-ema-church-256", "ddpm-bedroom-256",
    "ddpm-ema-bedroom-256",
)  # fmt: skip

CONFIGURATIONS: dict[str, dict[str, dict]] = {
    **{name: {"config.json": _DDPM, "scheduler_config.json": _LINEAR} for name in _OF_DDPM},
    "ddpm-cifar10-32": {"config.json": _CIFAR, "scheduler_config.json": _LINEAR},
    "adm-imagenet-256": {
        "config.json": _ADM, "scheduler_config.json": {**_LINEAR, "_class_name": "ADMDDIMScheduler"},
    },
    "stable-diffusion-2-base": _STABLE_DIFFUSION,
    "stable-diffusion-2-1-base": _STABLE_DIFFUSION,
}  # fmt: skip
"""By the name of the prior, what each file of its folder says."""
RANGES = {"ddpm": (0.0100, 157.4), "adm": (0.0100, 157.4), "latent": (0.0292, 14.61)}
"""sigma of the first and the last time step, by kind."""
